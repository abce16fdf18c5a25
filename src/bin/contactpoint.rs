//! `contactpoint`: the connecting organisation's client. Everything is in `contactpoint_client`.

fn main() -> std::process::ExitCode {
    contactpoint_client::run_from_command_line().into()
}
