//! The `fincheck` program.

fn main() -> fincheck::cli::Exit {
    fincheck::cli::main()
}
