//! python-gitlab, which scripts written for GitLab use.

use super::{Registry, Workplace};
use crate::server::{ROOT_TOKEN, databases};

#[test]
fn works_through_its_script() {
    for database in databases() {
        let Some(mut place) = Workplace::new(&["python-with-gitlab"], "") else { return };
        let registry = Registry::new(database);
        place.set("ENTREPOT_URL", &registry.server.url());
        place.set("ENTREPOT_TOKEN", ROOT_TOKEN);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/python_gitlab.py");
        place.run(".", &[script, &registry.server.url(), ROOT_TOKEN]);
    }
}
