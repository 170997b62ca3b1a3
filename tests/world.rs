//! The whole server's routes over a world.

use axum::Router;
use gateway::RouteInfo;
use testkit::{Client, World};

/// A world that knows every format, with a client of every route.
pub(crate) async fn world() -> (World, Client) {
    let world = World::new(formats::rules()).await;
    let client = world.client(router(&world));
    (world, client)
}

/// Every route that speaks through the gateway.
pub(crate) fn router(world: &World) -> Router {
    formats::router(&world.gateway).merge(rest::router(&world.gateway))
}

/// What the routes declare.
pub(crate) fn routes() -> Vec<RouteInfo> {
    let mut routes = formats::route_infos();
    routes.extend(rest::route_infos());
    routes
}
