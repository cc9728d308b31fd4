use super::Replacement;
use super::index::Index;
pub(super) fn find(_: &Index<'_>, _: usize) -> Option<Result<Replacement, String>> {
    None
}
