//! Who is at the other end of the control socket (peer credentials).

use crate::borough::borough;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

fn open_to_everybody(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn another_user_who_reaches_the_control_socket_is_closed_unread() {
    // G1: over the Unix socket with peer credentials; as though nobody had set the modes of socket and folder
    let borough = borough().await;
    let (rig, socket) = (&borough.rig, borough.rig.sockets.control_path());
    let program = rig.folder().join("contactpointctl");
    std::fs::copy(&rig.programs.operator, &program).unwrap();
    for (path, mode) in [(rig.folder(), 0o711), (&program, 0o755), (socket, 0o666)] {
        open_to_everybody(path, mode);
    }
    let asked = |before: &[&str]| -> Output {
        let mut words = [before, &["env", "-i"]].concat().into_iter();
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg(&program).args(["status", "--socket"]).arg(socket).output().unwrap()
    };
    let said = |output: &Output| format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let own = asked(&["env"]);
    assert!(own.status.success(), "{}", said(&own));
    let nobody = asked(&["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    assert!(!nobody.status.success() && nobody.stdout.is_empty(), "{}", said(&nobody));
    assert!(!said(&nobody).contains("ermission denied"), "the socket was within reach: {}", said(&nobody));
    let told = |line: &&str| line.contains("the control socket was used by another user") && line.contains("65534");
    assert!(borough.rig.daemon().log().lines().any(|line| told(&line)));
    open_to_everybody(socket, 0o600);
    open_to_everybody(rig.folder(), 0o700);
}
