//! Name resolution that gives out allowed addresses only.
//!
//! The guard stands here because here is the last moment before the connection: the addresses that are judged are the
//! very ones that are connected to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::AddressKind;
use crate::target::TargetPolicy;

/// The answer of a look-up to come.
pub(crate) type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Turns a host name into addresses.
pub(crate) type Lookup = Arc<dyn Fn(String) -> LookupFuture + Send + Sync>;

/// The operating system's resolver. The port is filled in by whoever connects.
pub(crate) fn system_lookup() -> Lookup {
    Arc::new(|name| Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) }))
}

/// Why a name gives no address to connect to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error(transparent)]
    Lookup(#[from] io::Error),
    #[error("the name has no address")]
    NoAddress,
    #[error("a {kind} address is not allowed")]
    Blocked { address: IpAddr, kind: AddressKind },
}

/// Looks names up and lets the policy judge the answer.
pub(crate) struct GuardedResolver {
    pub(crate) lookup: Lookup,
    pub(crate) policy: TargetPolicy,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, policy) = ((self.lookup)(name.as_str().to_owned()), self.policy);
        Box::pin(async move {
            let found = found.await.map_err(ResolveError::from)?;
            let addresses: Addrs = Box::new(admit(found, policy)?.into_iter());
            Ok(addresses)
        })
    }
}

/// All the addresses, or none: a name that leads both outside and inside is refused rather than sorted, so that the
/// verdict does not depend on which address happens to be tried.
fn admit(found: Vec<SocketAddr>, policy: TargetPolicy) -> Result<Vec<SocketAddr>, ResolveError> {
    if found.is_empty() {
        return Err(ResolveError::NoAddress);
    }
    for address in found.iter().map(SocketAddr::ip) {
        let kind = AddressKind::of(address);
        if !policy.allows(kind) {
            return Err(ResolveError::Blocked { address, kind });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(addresses: &[&str], policy: TargetPolicy) -> Result<usize, AddressKind> {
        let found = addresses.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect();
        match admit(found, policy) {
            Ok(admitted) => Ok(admitted.len()),
            Err(ResolveError::Blocked { kind, .. }) => Err(kind),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn one_bad_address_spoils_the_answer() {
        let public = ["8.8.8.8", "2606:4700:4700::1111"];
        assert_eq!(verdict(&public, TargetPolicy::Public), Ok(2));
        for (bad, kind) in [
            ("10.0.0.1", AddressKind::Private),
            ("fd00::1", AddressKind::UniqueLocal),
            ("169.254.169.254", AddressKind::LinkLocal),
            ("::ffff:192.168.0.1", AddressKind::Private),
        ] {
            for order in [[public[0], bad], [bad, public[0]]] {
                assert_eq!(verdict(&order, TargetPolicy::Public), Err(kind));
                assert_eq!(verdict(&order, TargetPolicy::AllowLoopback), Err(kind));
                assert_eq!(verdict(&order, TargetPolicy::AllowAll), Ok(2));
            }
        }
    }

    #[test]
    fn loopback_needs_its_policy() {
        assert_eq!(verdict(&["127.0.0.1", "::1"], TargetPolicy::AllowLoopback), Ok(2));
        assert_eq!(verdict(&["127.0.0.1", "::1"], TargetPolicy::Public), Err(AddressKind::Loopback));
    }

    #[test]
    fn an_empty_answer_is_an_error() {
        assert!(matches!(admit(Vec::new(), TargetPolicy::AllowAll), Err(ResolveError::NoAddress)));
    }

    #[tokio::test]
    async fn the_system_resolver_is_guarded() {
        let resolver = GuardedResolver { lookup: system_lookup(), policy: TargetPolicy::Public };
        let error = resolver.resolve("localhost".parse().unwrap()).await.err().unwrap();
        let error = error.downcast::<ResolveError>().unwrap();
        assert!(matches!(*error, ResolveError::Blocked { kind: AddressKind::Loopback, .. }));
    }
}
