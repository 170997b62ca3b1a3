//! What an administrator does on the machine.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::server::{Server, Setup};

/// Sets the password of a user to what the standard input says.
fn set_password(server: &Server, username: &str, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_entrepot"))
        .args(["admin", "set-password", username, "--data-dir"])
        .arg(server.data())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn signs_in(server: &Server, password: &str) -> bool {
    let document = "mutation S($input: SignInInput!) { signIn(input: $input) { session errors } }";
    let input = json!({ "login": "root", "password": password });
    let body = json!({ "query": document, "variables": { "input": input } }).to_string();
    let headers = [("Content-Type", "application/json")];
    let response = server.request("POST", "/api/graphql", &headers, body.as_bytes());
    let answer: Value = serde_json::from_slice(&response.body).expect("JSON");
    answer["data"]["signIn"]["session"].is_string()
}

#[test]
fn the_first_administrator_is_given_a_password_while_the_server_runs() {
    let server = Server::start(Setup::default());
    assert!(!signs_in(&server, ""));
    for (input, password) in
        [(" correct horse \n", " correct horse "), ("another horse\r\nmore\n", "another horse")]
    {
        let done = set_password(&server, "root", input);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(String::from_utf8_lossy(&done.stdout), "the password of root is set\n");
        assert!(signs_in(&server, password), "{input:?}");
    }
    for (username, input, why) in [("root", "", "too short"), ("nobody", "correct horse", "no user 'nobody'")]
    {
        let refused = set_password(&server, username, input);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && told.contains(why), "{told}");
    }
    assert!(signs_in(&server, "another horse"));
}
