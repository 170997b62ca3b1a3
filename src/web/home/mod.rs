//! The start page: who is signed in, and what can be reached.

mod view;

use axum::response::Response;
use domain::Failure;
use gateway::{Intent, dialect};
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

use self::view::{Page, Places};
use crate::{
    accept::prefers_html,
    frame::{Frame, html},
    pages::{Pages, Visit},
};

gateway::operations!("home/operations.graphql": WebHome);

/// Rows of each list.
const ROWS: i64 = 20;

/// Adds the route of the start page. Whoever wants no page is given `greeting`.
pub(crate) fn routes(pages: &mut Pages, greeting: Value) {
    pages.page("/", Intent::Open, move |visit| {
        let greeting = greeting.clone();
        async move {
            let mut response = if prefers_html(&visit.call.headers) {
                show(visit).await?
            } else {
                dialect::answer(StatusCode::OK, &greeting)
            };
            response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
            Ok(response)
        }
    });
}

async fn show(visit: Visit) -> Result<Response, Failure> {
    let places = Places::of(&visit.call.query);
    let variables = web_home::Variables {
        groups_after: places.groups.clone(),
        projects_after: places.projects.clone(),
        first: ROWS,
    };
    let mut answer = visit.call.run::<WebHome>(variables).await?;
    let user = answer.current_user.take().map(|user| user.username);
    html(StatusCode::OK, &Page::new(Frame::new(&visit, "Start", user), &places, answer))
}
