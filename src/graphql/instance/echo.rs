//! A mutation that changes nothing, for trying whether changes are let through (GitLab's).

use async_graphql::{Context, InputObject, Object, SimpleObject};

use crate::{
    gate,
    outcome::{OrError, Outcome},
};

/// What to say back.
#[derive(InputObject)]
pub(crate) struct EchoCreateInput {
    /// Said back as errors.
    errors: Option<Vec<String>>,
    /// Said back.
    messages: Option<Vec<String>>,
    /// Echoed.
    client_mutation_id: Option<String>,
}

/// What was said.
#[derive(SimpleObject)]
pub(crate) struct EchoCreatePayload {
    /// The messages.
    echoes: Option<Vec<String>>,
    errors: Vec<String>,
    client_mutation_id: Option<String>,
}

#[derive(Default)]
pub(crate) struct EchoMutation;

#[Object]
impl EchoMutation {
    /// Changes nothing, and says back what it is told: for trying whether a token lets changes through.
    async fn echo_create(
        &self,
        ctx: &Context<'_>,
        input: EchoCreateInput,
    ) -> Outcome<Option<EchoCreatePayload>> {
        gate::signed_in(ctx).or_error()?;
        Ok(Some(EchoCreatePayload {
            echoes: input.messages,
            errors: input.errors.unwrap_or_default(),
            client_mutation_id: input.client_mutation_id,
        }))
    }
}
