//! What the start page shows.

use askama::Template;
use gateway::QueryPairs;
use url::form_urlencoded;

use super::web_home::{ResponseData, WebHomeGroups, WebHomeProjects};
use crate::frame::{Frame, Visitor};

/// Where the two lists are being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// Behind which group.
    pub(super) groups: Option<String>,
    /// Behind which project.
    pub(super) projects: Option<String>,
}

impl Places {
    /// The places that an address names.
    pub(super) fn of(query: &QueryPairs) -> Self {
        let place = |name: &str| query.get(name).filter(|place| !place.is_empty()).map(ToOwned::to_owned);
        Self { groups: place("groups_after"), projects: place("projects_after") }
    }

    /// The query of the address where they are.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, place) in [("groups_after", &self.groups), ("projects_after", &self.projects)] {
            if let Some(place) = place {
                query.append_pair(name, place);
            }
        }
        query.finish()
    }
}

/// A group or a project.
struct Row {
    name: String,
    full_path: String,
    description: String,
    visibility: String,
}

/// A page of groups or projects.
struct List {
    heading: &'static str,
    /// What the list is called in addresses.
    name: &'static str,
    empty: &'static str,
    rows: Vec<Row>,
    /// The query of the address of the list's beginning, when this is not it.
    first: Option<String>,
    /// The query of the address of the next page.
    next: Option<String>,
}

/// The start page.
#[derive(Template)]
#[template(path = "home/page.html")]
pub(super) struct Page {
    frame: Frame,
    lists: [List; 2],
}

macro_rules! rows {
    ($nodes:expr) => {
        $nodes
            .into_iter()
            .map(|node| Row {
                name: Option::from(node.name).unwrap_or_default(),
                full_path: node.full_path,
                description: node.description.unwrap_or_default(),
                visibility: node.visibility.unwrap_or_default(),
            })
            .collect()
    };
}

impl Page {
    /// The page with these answers, read at these places.
    pub(super) fn new(frame: Frame, places: &Places, answer: ResponseData) -> Self {
        Self { frame, lists: [groups(places, answer.groups), projects(places, answer.projects)] }
    }
}

fn groups(places: &Places, answer: WebHomeGroups) -> List {
    let at = |groups| Places { groups, ..places.clone() }.query();
    let page = answer.page_info;
    List {
        heading: "Groups",
        name: "groups",
        empty: "There is no group that you can reach.",
        rows: rows!(answer.nodes),
        first: places.groups.is_some().then(|| at(None)),
        next: page.has_next_page.then(|| at(page.end_cursor)),
    }
}

fn projects(places: &Places, answer: WebHomeProjects) -> List {
    let at = |projects| Places { projects, ..places.clone() }.query();
    let page = answer.page_info;
    List {
        heading: "Projects",
        name: "projects",
        empty: "There is no project that you can reach.",
        rows: rows!(answer.nodes),
        first: places.projects.is_some().then(|| at(None)),
        next: page.has_next_page.then(|| at(page.end_cursor)),
    }
}
