//! contactpoint-synthesise: synthetic boroughs, feeds and test certificates. All of it is in the crate `contactpoint-synthesise`.

fn main() -> std::process::ExitCode {
    contactpoint_synthesise::run()
}
