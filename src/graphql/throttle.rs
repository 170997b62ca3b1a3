//! Counting requests: who came more often than the limits let through is told when to come again.
//!
//! Counted is in this process, by the generic cell rate algorithm: as many requests at once as a period lets through, then one
//! each time that its share of the period has passed. An address of IPv6 counts with its network of 64 bits, which is what one
//! customer of a provider has at least.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use access::Identity;
use domain::{Clock, Failure, InstanceLimits, Throttle, Throttled, limits::Rate};
use gateway::{Origin, Traffic};
use governor::{
    Quota, RateLimiter, clock::Clock as Ticks, middleware::NoOpMiddleware, state::keyed::HashMapStateStore,
};
use moka::sync::Cache;

/// Counts requests that were too many, by what they are counted as.
pub const THROTTLED: &str = "entrepot_throttled_requests_total";

/// Most addresses and callers that one kind of requests is counted for. Beyond that, counting starts anew.
const MOST_KEYS: usize = 100_000;
/// The part of an address of IPv6 that counts.
const NETWORK: u128 = !0 << 64;

/// Whom requests are counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Caller(Identity),
}

impl Key {
    /// The network of an address. All whose address nobody knows are counted together.
    fn of(address: Option<IpAddr>) -> Self {
        let address = address.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |address| address.to_canonical());
        Self::Address(match address {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK)),
            IpAddr::V4(_) => address,
        })
    }
}

/// Our clock, as the limiters read it.
struct Steady(Arc<dyn Clock>);

impl Ticks for Steady {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.steady()
    }
}

/// Counts requests of one kind.
struct Limiter {
    throttle: Throttle,
    rate: Rate,
    counted: RateLimiter<Key, HashMapStateStore<Key>, Steady, NoOpMiddleware<Duration>>,
}

impl Limiter {
    /// A limiter that has counted nothing; none where nothing is to be counted.
    fn new(throttle: Throttle, rate: Rate, clock: &Arc<dyn Clock>) -> Option<Arc<Self>> {
        let requests = NonZeroU32::new(u32::try_from(rate.requests).unwrap_or(u32::MAX))?;
        let share = Duration::from_secs(rate.seconds) / requests.get();
        let quota = Quota::with_period(share)?.allow_burst(requests);
        let counted = RateLimiter::hashmap_with_clock(quota, Steady(Arc::clone(clock)));
        rate.enabled.then(|| Arc::new(Self { throttle, rate, counted }))
    }

    /// Counts a request, or says when the next one is let through.
    fn count(&self, key: Key) -> Result<(), Duration> {
        self.counted.check_key(&key).map_err(|refused| refused.earliest_possible())
    }
}

/// Counts requests of every kind.
pub(crate) struct Throttles {
    clock: Arc<dyn Clock>,
    /// Whether any requests are counted but those that present something to be accepted.
    counts_all: AtomicBool,
    /// By kind; none for what is not counted.
    limiters: RwLock<[Option<Arc<Limiter>>; Throttle::ALL.len()]>,
    /// Addresses whose credentials are not looked at, and until when.
    shut_out: Cache<Key, Duration>,
}

impl Throttles {
    /// Throttles that count nothing yet.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let shut_out = Cache::new(MOST_KEYS as u64);
        Self { clock, counts_all: AtomicBool::default(), limiters: RwLock::default(), shut_out }
    }

    /// Counts by `limits` from now on. Whose rate stays goes on counting.
    pub(crate) fn set(&self, limits: &InstanceLimits) {
        let mut limiters = self.limiters.write().unwrap_or_else(PoisonError::into_inner);
        for (throttle, limiter) in Throttle::ALL.into_iter().zip(&mut *limiters) {
            let rate = limits.rate(throttle);
            let counted = limiter.as_ref().map(|limiter| limiter.rate);
            if counted != Some(rate).filter(|rate| rate.enabled) {
                *limiter = Limiter::new(throttle, rate, &self.clock);
                if throttle == Throttle::FailedAuthentication {
                    self.shut_out.invalidate_all();
                }
            }
        }
        let guards = [Throttle::FailedAuthentication, Throttle::SignIn];
        let counted = limiters.iter().flatten().any(|limiter| !guards.contains(&limiter.throttle));
        self.counts_all.store(counted, Ordering::Relaxed);
    }

    /// Gives back the memory of those who have not come for a while. To be called every few seconds.
    pub(crate) fn tidy(&self) {
        for limiter in Throttle::ALL.into_iter().filter_map(|throttle| self.limiter(throttle)) {
            limiter.counted.retain_recent();
            if limiter.counted.len() <= MOST_KEYS {
                continue;
            }
            let mut limiters = self.limiters.write().unwrap_or_else(PoisonError::into_inner);
            let slot = &mut limiters[limiter.throttle as usize];
            if slot.as_ref().is_some_and(|current| Arc::ptr_eq(current, &limiter)) {
                *slot = Limiter::new(limiter.throttle, limiter.rate, &self.clock);
            }
        }
    }

    /// Counts a request without a credential.
    pub(crate) fn count_anonymous(&self, origin: Origin) -> Result<(), Failure> {
        let kinds = (Throttle::UnauthenticatedPackagesApi, Throttle::UnauthenticatedApi);
        self.count_request(origin.traffic, kinds, || Key::of(origin.address))
    }

    /// Counts a request of a caller whose credential was accepted.
    pub(crate) fn count_caller(&self, origin: Origin, identity: Identity) -> Result<(), Failure> {
        let kinds = (Throttle::AuthenticatedPackagesApi, Throttle::AuthenticatedApi);
        self.count_request(origin.traffic, kinds, || Key::Caller(identity))
    }

    /// Counts a request as one for packages, where those are counted apart, or as any other (GitLab's rule).
    fn count_request(
        &self,
        traffic: Traffic,
        (of_packages, of_all): (Throttle, Throttle),
        key: impl FnOnce() -> Key,
    ) -> Result<(), Failure> {
        if !self.counts_all.load(Ordering::Relaxed) {
            return Ok(());
        }
        let apart = if traffic == Traffic::Packages { self.limiter(of_packages) } else { None };
        match apart.or_else(|| self.limiter(of_all)) {
            Some(limiter) => limiter.count(key()).map_err(|until| self.refusal(&limiter, until)),
            None => Ok(()),
        }
    }

    /// Counts an attempt to sign in, or to exchange one credential for another, before it is looked at.
    pub(crate) fn count_sign_in(&self, address: Option<IpAddr>) -> Result<(), Failure> {
        let Some(limiter) = self.limiter(Throttle::SignIn) else { return Ok(()) };
        limiter.count(Key::of(address)).map_err(|until| self.refusal(&limiter, until))
    }

    /// Whether a credential from this address is looked at: not while too many were not accepted.
    pub(crate) fn may_present(&self, address: Option<IpAddr>) -> Result<(), Failure> {
        let Some(until) = self.shut_out.get(&Key::of(address)) else { return Ok(()) };
        match self.limiter(Throttle::FailedAuthentication) {
            Some(limiter) if until > self.clock.steady() => Err(self.refusal(&limiter, until)),
            _ => Ok(()),
        }
    }

    /// Counts a credential that was not accepted.
    pub(crate) fn note_refused(&self, address: Option<IpAddr>) {
        let Some(limiter) = self.limiter(Throttle::FailedAuthentication) else { return };
        let key = Key::of(address);
        if let Err(until) = limiter.count(key) {
            self.shut_out.insert(key, until);
        }
    }

    fn limiter(&self, throttle: Throttle) -> Option<Arc<Limiter>> {
        self.limiters.read().unwrap_or_else(PoisonError::into_inner)[throttle as usize].clone()
    }

    fn refusal(&self, limiter: &Limiter, until: Duration) -> Failure {
        let Limiter { throttle, rate, .. } = *limiter;
        let wait = until.saturating_sub(self.clock.steady());
        let retry_after = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
        let reset = self.clock.now().unix_timestamp().saturating_add_unsigned(retry_after);
        metrics::counter!(THROTTLED, "throttle" => throttle.name()).increment(1);
        Failure::throttled(Throttled { throttle, rate, retry_after, reset })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use domain::{ErrorCode, UserId, limits::rate_keys};
    use time::OffsetDateTime;

    use super::*;

    /// A clock that stands still until it is told otherwise.
    #[derive(Default)]
    struct Still(Mutex<Duration>);

    impl Clock for Still {
        fn now(&self) -> OffsetDateTime {
            OffsetDateTime::UNIX_EPOCH + self.steady()
        }

        fn steady(&self) -> Duration {
            *self.0.lock().expect("no panic before")
        }
    }

    impl Still {
        fn advance(&self, by: Duration) {
            *self.0.lock().expect("no panic before") += by;
        }
    }

    /// Throttles that let 10 requests a minute of each of these kinds through.
    fn throttles(kinds: &[Throttle]) -> (Throttles, Arc<Still>) {
        let clock = Arc::new(Still::default());
        let throttles = Throttles::new(clock.clone());
        throttles.set(&limits(kinds));
        (throttles, clock)
    }

    fn limits(kinds: &[Throttle]) -> InstanceLimits {
        let values = Throttle::ALL.into_iter().flat_map(|throttle| {
            rate_keys(throttle).into_iter().zip([kinds.contains(&throttle).into(), 10.into(), 60.into()])
        });
        InstanceLimits::new([]).with(&values.collect())
    }

    fn origin(address: &str, traffic: Traffic) -> Origin {
        Origin { address: Some(address.parse().expect("an address")), traffic }
    }

    /// How many of a hundred requests are let through.
    fn let_through(request: impl Fn() -> Result<(), Failure>) -> usize {
        (0..100).filter(|_| request().is_ok()).count()
    }

    #[test]
    fn an_address_may_come_as_often_as_a_period_lets_through_and_then_with_each_share_of_it() {
        let (throttles, clock) = throttles(&[Throttle::UnauthenticatedApi]);
        let from =
            |address: &'static str| let_through(|| throttles.count_anonymous(origin(address, Traffic::Api)));
        assert_eq!(from("203.0.113.7"), 10);
        assert_eq!(from("::ffff:203.0.113.7"), 0, "the same address in other words");
        assert_eq!(from("203.0.113.8"), 10, "another one");
        assert_eq!(from("2001:db8::1"), 10);
        assert_eq!(from("2001:db8::ffff:1"), 0, "the same network");
        assert_eq!(from("2001:db8:0:1::1"), 10, "another one");
        let refused = throttles.count_anonymous(origin("203.0.113.7", Traffic::Api)).expect_err("too many");
        let throttled = refused.throttled.expect("it says which");
        assert_eq!((refused.code, throttled.retry_after, throttled.reset), (ErrorCode::RateLimited, 6, 6));
        clock.advance(Duration::from_secs(6));
        assert_eq!(from("203.0.113.7"), 1);
        clock.advance(Duration::from_mins(1));
        assert_eq!(from("203.0.113.7"), 10);
    }

    #[test]
    fn requests_for_packages_are_counted_apart_where_they_have_a_rate_of_their_own() {
        let (throttles, _clock) = throttles(&[Throttle::AuthenticatedApi]);
        let user = |id| Identity::User { id: UserId(id), admin: false };
        let of =
            |id, traffic| let_through(|| throttles.count_caller(origin("203.0.113.7", traffic), user(id)));
        assert_eq!(of(1, Traffic::Packages), 10);
        assert_eq!(of(1, Traffic::Api), 0, "counted together");
        assert_eq!(of(2, Traffic::Api), 10, "another user of the same address");
        throttles.set(&limits(&[Throttle::AuthenticatedApi, Throttle::AuthenticatedPackagesApi]));
        assert_eq!(of(1, Traffic::Packages), 10);
        assert_eq!(of(1, Traffic::Api), 0, "what was counted before still counts");
        assert_eq!(let_through(|| throttles.count_anonymous(origin("203.0.113.7", Traffic::Api))), 100);
        throttles.set(&limits(&[]));
        assert_eq!(of(1, Traffic::Api), 100);
    }

    #[test]
    fn after_too_many_wrong_credentials_none_is_looked_at_for_a_while() {
        let (throttles, clock) = throttles(&[Throttle::FailedAuthentication]);
        let (here, there) = (Some("203.0.113.7".parse().expect("an address")), None);
        for _ in 0..11 {
            assert!(throttles.may_present(here).is_ok());
            throttles.note_refused(here);
        }
        let refused = throttles.may_present(here).expect_err("too many");
        assert_eq!(refused.throttled.map(|throttled| throttled.retry_after), Some(6));
        assert!(throttles.may_present(there).is_ok());
        clock.advance(Duration::from_secs(6));
        assert!(throttles.may_present(here).is_ok(), "one more is looked at");
        throttles.note_refused(here);
        assert!(throttles.may_present(here).is_ok(), "and let through, if it was the last");
        throttles.note_refused(here);
        assert!(throttles.may_present(here).is_err());
        throttles.set(&limits(&[]));
        assert!(throttles.may_present(here).is_ok(), "nothing is counted any more");
    }

    #[test]
    fn memory_is_given_back() {
        let (throttles, clock) = throttles(&[Throttle::SignIn]);
        let counted = || throttles.limiter(Throttle::SignIn).map_or(0, |limiter| limiter.counted.len());
        let attempt = |number: u32| throttles.count_sign_in(Some(IpAddr::from(number.to_be_bytes())));
        (0..1_000).for_each(|number| attempt(number).expect("the first of each"));
        throttles.tidy();
        assert_eq!(counted(), 1_000, "they still count");
        clock.advance(Duration::from_secs(12));
        throttles.tidy();
        assert_eq!(counted(), 0, "they no longer do");
        let many = u32::try_from(MOST_KEYS).expect("a number") + 1;
        (0..many).for_each(|number| attempt(number).expect("the first of each"));
        throttles.tidy();
        assert_eq!(counted(), 0, "too many to keep");
        let_through(|| attempt(1));
        assert!(attempt(1).is_err(), "counting goes on");
    }
}
