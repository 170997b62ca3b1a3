//! The pages as browsers get them, over a whole registry.

macro_rules! assert_snapshot {
    ($name:expr, $value:expr) => {{
        let value = $value;
        insta::with_settings!(
            { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
            { insta::assert_snapshot!($name, value) }
        )
    }};
}

mod account;
mod browser;
mod forgery;
mod pages;
mod provider;
mod sign_in;
mod tokens;

use domain::rules::RuleBook;
use serde_json::{Value, json};
use testkit::{Client, World};

use self::browser::Browser;

/// The password of whoever has one.
const PASSWORD: &str = "correct horse battery";

/// A registry where `developer` has a password.
struct Stage {
    world: World,
    client: Client,
}

impl Stage {
    async fn new() -> Self {
        Self::of(World::new(RuleBook::new([])).await).await
    }

    async fn of(world: World) -> Self {
        let client = world.client(crate::router(&world.gateway, json!({ "name": "entrepot" })));
        let stage = Self { world, client };
        stage.set_password("developer", PASSWORD).await;
        stage
    }

    async fn set_password(&self, username: &str, password: &str) {
        let document =
            "mutation S($input: SetUserPasswordInput!) { setUserPassword(input: $input) { errors } }";
        let input = json!({ "username": username, "password": password });
        self.run_as_administrator(document, json!({ "input": input })).await;
    }

    async fn run_as_administrator(&self, document: &str, variables: Value) -> Value {
        let answer = self.world.graphql(&self.world.people.administrator, document, variables).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].clone()
    }

    /// A browser that nobody has used.
    fn browser(&self) -> Browser {
        Browser::new(self.client.clone())
    }

    /// A browser in which `developer` has signed in.
    async fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        browser.get("/users/sign_in").await.expect(200);
        let fields = [("login", "developer"), ("password", PASSWORD)];
        browser.submit("/users/sign_in", &fields).await.expect(303);
        browser
    }
}
