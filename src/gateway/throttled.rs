//! What a client is told of the rate that it exceeded, under the names of GitLab's headers, whatever its dialect is.

use std::time::{Duration, SystemTime};

use domain::Throttled;
use http::{HeaderMap, HeaderName, HeaderValue, header::RETRY_AFTER};

/// Adds the headers.
pub(crate) fn tell(throttled: &Throttled, headers: &mut HeaderMap) {
    let Throttled { throttle, rate, retry_after, reset } = *throttled;
    let reset_time = SystemTime::UNIX_EPOCH + Duration::from_secs(reset.try_into().unwrap_or_default());
    // GitLab tells the quota of a minute, whatever the period is, and rounds it up.
    let of_minute = (rate.requests * 60).div_ceil(rate.seconds.max(1));
    for (name, value) in [
        (RETRY_AFTER, HeaderValue::from(retry_after)),
        (HeaderName::from_static("ratelimit-name"), HeaderValue::from_static(throttle.name())),
        (HeaderName::from_static("ratelimit-limit"), HeaderValue::from(of_minute)),
        (HeaderName::from_static("ratelimit-observed"), HeaderValue::from(rate.requests)),
        (HeaderName::from_static("ratelimit-remaining"), HeaderValue::from(0)),
        (HeaderName::from_static("ratelimit-reset"), HeaderValue::from(reset)),
    ] {
        headers.insert(name, value);
    }
    if let Ok(value) = HeaderValue::try_from(httpdate::fmt_http_date(reset_time)) {
        headers.insert("ratelimit-resettime", value);
    }
}

#[cfg(test)]
mod tests {
    use domain::{Throttle, Throttled, limits::Rate};
    use http::HeaderMap;

    use super::tell;

    #[test]
    fn the_headers_are_gitlabs() {
        let rate = Rate { enabled: true, requests: 800, seconds: 15 };
        let throttle = Throttle::UnauthenticatedPackagesApi;
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", 60.into());
        tell(&Throttled { throttle, rate, retry_after: 3, reset: 1_563_325_137 }, &mut headers);
        for (name, value) in [
            ("Retry-After", "3"),
            ("RateLimit-Name", "throttle_unauthenticated_packages_api"),
            ("RateLimit-Limit", "3200"),
            ("RateLimit-Observed", "800"),
            ("RateLimit-Remaining", "0"),
            ("RateLimit-Reset", "1563325137"),
            ("RateLimit-ResetTime", "Wed, 17 Jul 2019 00:58:57 GMT"),
        ] {
            assert_eq!(headers.get(name).and_then(|value| value.to_str().ok()), Some(value), "{name}");
        }
        assert_eq!(headers.len(), 7);
    }
}
