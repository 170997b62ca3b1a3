//! Parameters as GitLab takes them: from the query, a form or a JSON body, under one name.

use std::collections::HashMap;

use domain::{Failure, Role, Scope, Visibility, parse_instant};
use gateway::Call;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use time::{Date, macros::format_description};

/// Largest body of a request, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// The parameters of a request. A name in the body wins over one in the query.
#[derive(Debug, Default)]
pub(crate) struct Params(HashMap<String, Value>);

impl Params {
    /// Reads the query.
    pub(crate) fn of_query(call: &Call) -> Self {
        let mut params = Self::default();
        for (key, value) in call.query.iter() {
            params.add(key, value.to_owned());
        }
        params
    }

    /// Reads the query and the body.
    pub(crate) async fn read(call: &mut Call) -> Result<Self, Failure> {
        let mut params = Self::of_query(call);
        let kind = call.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let body = call.read_body(MAX_BODY).await?;
        if body.is_empty() {
            return Ok(params);
        }
        if kind.starts_with("application/x-www-form-urlencoded") {
            for (key, value) in url::form_urlencoded::parse(&body) {
                params.add(&key, value.into_owned());
            }
        } else if kind.starts_with("application/json") {
            match serde_json::from_slice(&body) {
                Ok(Value::Object(fields)) => params.0.extend(fields),
                Ok(_) => return Err(Failure::invalid("body", "The request body should be a JSON object")),
                Err(error) => {
                    return Err(Failure::invalid(
                        "body",
                        format!("The request body is not valid JSON: {error}"),
                    ));
                }
            }
        } else {
            return Err(Failure::invalid(
                "content_type",
                format!("The content type '{kind}' is not understood: send application/json or a form"),
            ));
        }
        Ok(params)
    }

    /// Takes what a query would say.
    #[cfg(test)]
    pub(crate) fn of_pairs(pairs: &[(&str, &str)]) -> Self {
        let mut params = Self::default();
        for (key, value) in pairs {
            params.add(key, (*value).to_owned());
        }
        params
    }

    /// Takes one pair of a query or a form: `key[]` is an item of an array, `key[name]` a field of an object. Objects are read
    /// from JSON alone, so that one in a query stands empty for what has the wrong type.
    fn add(&mut self, key: &str, value: String) {
        let text = Value::String(value);
        match key.split_once('[') {
            Some((key, "]")) => {
                match self.0.entry(key.to_owned()).or_insert_with(|| Value::Array(Vec::new())) {
                    Value::Array(items) => items.push(text),
                    other => *other = Value::Array(vec![text]),
                }
            }
            Some((key, _)) => {
                self.0.insert(key.to_owned(), Value::Object(Map::new()));
            }
            None => {
                self.0.insert(key.to_owned(), text);
            }
        }
    }

    /// Whether `name` is there, be it with a null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The text of `name`; numbers and booleans count as their text, null and missing as none. Arrays and objects are refused.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => scalar(value).map(Some).ok_or_else(|| invalid(name)),
        }
    }

    /// The text of `name`, if it is there and not empty.
    pub(crate) fn filled(&self, name: &str) -> Result<Option<String>, Failure> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    /// The text of `name`, which must be there.
    pub(crate) fn required(&self, name: &'static str) -> Result<String, Failure> {
        let text = self.text(name)?.ok_or_else(|| Failure::invalid(name, format!("{name} is missing")))?;
        if text.trim().is_empty() {
            Err(Failure::invalid(name, format!("{name} is empty")))
        } else {
            Ok(text)
        }
    }

    /// The number of `name`.
    pub(crate) fn number(&self, name: &'static str) -> Result<Option<i64>, Failure> {
        self.filled(name)?.map(|text| text.parse().map_err(|_| invalid(name))).transpose()
    }

    /// The number of `name`, which must be zero or more.
    pub(crate) fn natural(&self, name: &str) -> Result<Option<u64>, Failure> {
        self.filled(name)?.map(|text| text.parse().map_err(|_| invalid(name))).transpose()
    }

    /// The flag of `name`: true, false, 1, 0 and their kin in any case (Python says `True`).
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.text(name)?.map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("") => Ok(None),
            Some("true" | "1" | "t" | "yes" | "y" | "on") => Ok(Some(true)),
            Some("false" | "0" | "f" | "no" | "n" | "off") => Ok(Some(false)),
            Some(_) => Err(invalid(name)),
        }
    }

    /// The texts of `name`: an array of them, or one text that separates them by commas.
    pub(crate) fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, Failure> {
        let texts = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) => items.iter().map(scalar).collect(),
            Some(Value::String(text)) => Some(text.split(',').map(|item| item.trim().to_owned()).collect()),
            Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => None,
        };
        texts.map(Some).ok_or_else(|| invalid(name))
    }

    /// The objects of `name`, an array in JSON, each to be read as parameters. One with other fields than `fields` is refused:
    /// what it asks for would be passed over.
    pub(crate) fn objects(&self, name: &'static str, fields: &[&str]) -> Result<Option<Vec<Self>>, Failure> {
        let items = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(invalid(name)),
        };
        let objects = items.iter().map(|item| {
            let object = item.as_object()?;
            let known = object.keys().all(|key| fields.contains(&key.as_str()));
            known.then(|| Self(object.clone().into_iter().collect()))
        });
        objects.collect::<Option<_>>().map(Some).ok_or_else(|| invalid(name))
    }

    /// What `choices` has for the text of `name`.
    pub(crate) fn choice<T>(
        &self,
        name: &'static str,
        choices: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        self.filled(name)?
            .map(|text| {
                choices(&text)
                    .ok_or_else(|| Failure::invalid(name, format!("{name} does not have a valid value")))
            })
            .transpose()
    }
}

impl Params {
    /// Which way `sort` sorts.
    pub(crate) fn direction(&self) -> Result<Option<Direction>, Failure> {
        self.choice("sort", |text| match text {
            "asc" => Some(Direction::Ascending),
            "desc" => Some(Direction::Descending),
            _ => None,
        })
    }

    /// The day of `name`, in ISO 8601.
    pub(crate) fn date(&self, name: &'static str) -> Result<Option<String>, Failure> {
        let format = format_description!("[year]-[month]-[day]");
        // An instant is taken for its day, as GitLab does.
        self.choice(name, |text| {
            let day =
                text.get(..10).filter(|_| text.len() == 10 || text.as_bytes().get(10) == Some(&b'T'))?;
            Date::parse(day, format).ok().map(|_| day.to_owned())
        })
        .map_err(|_| invalid(name))
    }

    /// The instant of `name`, in ISO 8601; a day stands for its beginning.
    pub(crate) fn instant(&self, name: &'static str) -> Result<Option<String>, Failure> {
        self.choice(name, |text| {
            let text = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.replace(' ', "T") };
            parse_instant(&text).map(|_| text)
        })
        .map_err(|_| invalid(name))
    }

    /// The scopes of a token to make, which must be there and be known.
    pub(crate) fn scopes(&self) -> Result<Vec<String>, Failure> {
        let scopes = self.texts("scopes")?.ok_or_else(|| Failure::invalid("scopes", "scopes is missing"))?;
        if scopes.iter().all(|scope| Scope::from_name(scope).is_some()) {
            Ok(scopes)
        } else {
            Err(Failure::invalid("scopes", "scopes does not have a valid value"))
        }
    }
}

/// The text of a value that has one: arrays, objects and null have none.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A parameter of the wrong type, in GitLab's words.
pub(crate) fn invalid(name: &str) -> Failure {
    Failure::invalid(name.to_owned(), format!("{name} is invalid"))
}

/// Which way a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// The value called `name` of an enum of the schema. The name must be one: generated enums take every text, and the schema
/// refuses those it does not know as a mistake of ours.
pub(crate) fn enum_named<Enum: DeserializeOwned>(name: &str) -> Option<Enum> {
    serde_json::from_value(name.into()).ok()
}

/// `visibility`.
pub(crate) fn visibility<Level: DeserializeOwned>(params: &Params) -> Result<Option<Level>, Failure> {
    params.choice("visibility", |name| enum_named(Visibility::from_name(name)?.name()))
}

/// The role whose number is `name`.
pub(crate) fn access_level<Level: DeserializeOwned>(
    params: &Params,
    name: &'static str,
) -> Result<Option<Level>, Failure> {
    params.choice(name, |text| {
        let role = Role::from_number(text.parse().ok()?)?;
        enum_named(match role {
            Role::Guest => "GUEST",
            Role::Reporter => "REPORTER",
            Role::Developer => "DEVELOPER",
            Role::Maintainer => "MAINTAINER",
            Role::Owner => "OWNER",
        })
    })
}

/// The decimal id in the path under `name`. What is no number names nothing.
pub(crate) fn path_id(call: &Call, name: &'static str) -> Result<i64, Failure> {
    call.param(name).parse().map_err(|_| invalid(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Direction, Params};

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params::of_pairs(pairs)
    }

    #[test]
    fn flags_are_read_as_rails_reads_them() {
        for (text, flag) in [("true", true), ("True", true), ("1", true), ("no", false), ("FALSE", false)] {
            assert_eq!(params(&[("owned", text)]).flag("owned"), Ok(Some(flag)), "{text}");
        }
        assert_eq!(params(&[]).flag("owned"), Ok(None));
        assert_eq!(params(&[("owned", "")]).flag("owned"), Ok(None));
        let refused = params(&[("owned", "perhaps")]).flag("owned").expect_err("no flag");
        assert_eq!(refused.message, "owned is invalid");
    }

    #[test]
    fn what_must_be_there_is_missed_in_gitlabs_words() {
        let missing = params(&[]).required("name").expect_err("missing");
        assert_eq!((missing.message.as_ref(), missing.field.as_deref()), ("name is missing", Some("name")));
        assert_eq!(params(&[("name", " ")]).required("name").expect_err("empty").message, "name is empty");
    }

    #[test]
    fn choices_refuse_what_they_do_not_know() {
        assert_eq!(params(&[("sort", "desc")]).direction(), Ok(Some(Direction::Descending)));
        let refused = params(&[("sort", "up")]).direction().expect_err("no direction");
        assert_eq!(refused.message, "sort does not have a valid value");
    }

    #[test]
    fn arrays_come_in_three_ways() {
        let expected = Ok(Some(vec!["api".to_owned(), "read_api".to_owned()]));
        assert_eq!(params(&[("scopes[]", "api"), ("scopes[]", "read_api")]).texts("scopes"), expected);
        assert_eq!(params(&[("scopes", "api, read_api")]).texts("scopes"), expected);
        let json = Params([("scopes".to_owned(), json!(["api", "read_api"]))].into());
        assert_eq!(json.texts("scopes"), expected);
        assert!(params(&[("scopes", "everything")]).scopes().is_err());
        assert!(params(&[]).scopes().is_err());
    }

    #[test]
    fn the_wrong_type_is_refused_and_never_taken_for_nothing() {
        for wrong in [json!([]), json!(["2099-01-01"]), json!({}), json!({ "a": 1 })] {
            let params = Params([("field".to_owned(), wrong.clone())].into());
            for refused in [
                params.text("field").map(|_| ()),
                params.required("field").map(|_| ()),
                params.number("field").map(|_| ()),
                params.flag("field").map(|_| ()),
                params.date("field").map(|_| ()),
                params.instant("field").map(|_| ()),
                params.choice("field", |_| Some(())).map(|_| ()),
            ] {
                assert_eq!(refused.expect_err("refused").message, "field is invalid", "{wrong}");
            }
        }
        for wrong in [json!(["api", null]), json!([["api"]]), json!({ "0": "api" }), json!(true), json!(5)] {
            let params = Params([("scopes".to_owned(), wrong.clone())].into());
            assert_eq!(params.scopes().expect_err("refused").message, "scopes is invalid", "{wrong}");
        }
        for key in ["expires_at[]", "expires_at[day]", "expires_at[]["] {
            let refused = params(&[(key, "2099-01-01")]).date("expires_at").expect_err(key);
            assert_eq!(refused.message, "expires_at is invalid", "{key}");
        }
        let null = Params([("field".to_owned(), json!(null))].into());
        assert_eq!(
            (null.text("field"), null.flag("field"), null.texts("field")),
            (Ok(None), Ok(None), Ok(None))
        );
    }

    #[test]
    fn objects_have_known_fields_alone() {
        let of = |value| Params([("limits".to_owned(), value)].into()).objects("limits", &["name_pattern"]);
        let read = of(json!([{ "name_pattern": "a*" }, {}])).expect("objects").expect("there");
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].text("name_pattern"), Ok(Some("a*".to_owned())));
        assert!(of(json!(null)).expect("nothing").is_none());
        for wrong in
            [json!("npm"), json!(["npm"]), json!({ "name_pattern": "a" }), json!([{ "pattern": "a" }])]
        {
            assert_eq!(of(wrong.clone()).expect_err("refused").message, "limits is invalid", "{wrong}");
        }
        assert!(params(&[("limits[][name_pattern]", "a")]).objects("limits", &["name_pattern"]).is_err());
    }

    #[test]
    fn days_and_instants() {
        for (text, day) in [("2099-01-31", "2099-01-31"), ("2099-01-31T10:00:00Z", "2099-01-31")] {
            assert_eq!(
                params(&[("expires_at", text)]).date("expires_at"),
                Ok(Some(day.to_owned())),
                "{text}"
            );
        }
        for (text, instant) in [
            ("2099-01-31", "2099-01-31T00:00:00Z"),
            ("2099-01-31T10:00:00+01:00", "2099-01-31T10:00:00+01:00"),
        ] {
            let read = params(&[("expires_at", text)]).instant("expires_at");
            assert_eq!(read, Ok(Some(instant.to_owned())), "{text}");
        }
        for text in ["2099-02-30", "31.1.2099", "2099-01-31x", "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}"] {
            assert!(params(&[("expires_at", text)]).date("expires_at").is_err(), "{text}");
            assert!(params(&[("expires_at", text)]).instant("expires_at").is_err(), "{text}");
        }
    }
}
