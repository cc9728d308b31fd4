//! What a user of the rendered line can rely on.
