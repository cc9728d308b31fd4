//! The `andon` program; everything is in the library.

fn main() -> std::process::ExitCode {
    andon::cli::main()
}
