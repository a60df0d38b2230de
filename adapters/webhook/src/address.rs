//! What an IP address is for, after the special-purpose address registries of IANA (RFC 6890 and its updates).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// What an address is for. Only [`AddressKind::Public`] may be reached by everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressKind {
    /// Globally reachable unicast.
    Public,
    /// This machine: 127.0.0.0/8, `::1`.
    Loopback,
    /// A private network of RFC 1918.
    Private,
    /// A private IPv6 network: `fc00::/7` (RFC 4193), and the old site-local `fec0::/10`.
    UniqueLocal,
    /// One cable: 169.254.0.0/16, `fe80::/10`. The metadata services of clouds live here.
    LinkLocal,
    /// Shared between carrier and customer (carrier-grade NAT): 100.64.0.0/10.
    Shared,
    /// "This network" and the unspecified address: 0.0.0.0/8, `::`. Systems take it for this machine.
    Unspecified,
    /// A group of receivers: 224.0.0.0/4, `ff00::/8`.
    Multicast,
    /// For examples in texts.
    Documentation,
    /// IPv6 tunnelled through IPv4 (6to4, Teredo): the true target is whatever stands inside.
    Tunnel,
    /// A NAT64 form of an IPv4 address that is not public.
    Translated,
    /// A cloud's service for its own machines that has a public number: 168.63.129.16 (Azure).
    CloudInternal,
    /// Everything else that is not in ordinary use: benchmarking, future use, protocol assignments.
    Reserved,
}

impl AddressKind {
    /// What `address` is for.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// The kind in Turkish, as it completes "hedef adres … aralığında".
    pub const fn turkish(self) -> &'static str {
        match self {
            Self::Public => "genel",
            Self::Loopback => "geri döngü (loopback)",
            Self::Private => "özel ağ",
            Self::UniqueLocal => "özel IPv6 ağı",
            Self::LinkLocal => "bağlantı-yerel",
            Self::Shared => "operatör içi paylaşılan (CGNAT)",
            Self::Unspecified => "belirsiz adres",
            Self::Multicast => "çoklu yayın",
            Self::Documentation => "belgeleme",
            Self::Tunnel => "tünel (6to4, Teredo)",
            Self::Translated => "çevrilmiş iç ağ (NAT64)",
            Self::CloudInternal => "bulut sağlayıcısının iç hizmeti",
            Self::Reserved => "ayrılmış",
        }
    }
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::Private => "private network",
            Self::UniqueLocal => "unique local",
            Self::LinkLocal => "link-local",
            Self::Shared => "shared (carrier-grade NAT)",
            Self::Unspecified => "unspecified",
            Self::Multicast => "multicast",
            Self::Documentation => "documentation",
            Self::Tunnel => "tunnel (6to4, Teredo)",
            Self::Translated => "translated internal (NAT64)",
            Self::CloudInternal => "cloud-internal",
            Self::Reserved => "reserved",
        })
    }
}

/// All of IPv4 that is not public.
const V4: [(Ipv4Net, AddressKind); 18] = [
    (v4([0, 0, 0, 0], 8), AddressKind::Unspecified),
    (v4([10, 0, 0, 0], 8), AddressKind::Private),
    (v4([100, 64, 0, 0], 10), AddressKind::Shared),
    (v4([127, 0, 0, 0], 8), AddressKind::Loopback),
    (v4([168, 63, 129, 16], 32), AddressKind::CloudInternal),
    (v4([169, 254, 0, 0], 16), AddressKind::LinkLocal),
    (v4([172, 16, 0, 0], 12), AddressKind::Private),
    (v4([192, 0, 0, 0], 24), AddressKind::Reserved),
    (v4([192, 0, 2, 0], 24), AddressKind::Documentation),
    (v4([192, 88, 99, 0], 24), AddressKind::Tunnel),
    (v4([192, 168, 0, 0], 16), AddressKind::Private),
    (v4([198, 18, 0, 0], 15), AddressKind::Reserved),
    (v4([198, 51, 100, 0], 24), AddressKind::Documentation),
    (v4([203, 0, 113, 0], 24), AddressKind::Documentation),
    (v4([224, 0, 0, 0], 4), AddressKind::Multicast),
    (v4([240, 0, 0, 0], 4), AddressKind::Reserved),
    // Anycast services of the network itself (AS112, AMT): nobody's web server
    (v4([192, 31, 196, 0], 24), AddressKind::Reserved),
    (v4([192, 52, 193, 0], 24), AddressKind::Reserved),
];

/// The special blocks of IPv6, the narrow before the wide; what is left is public within 2000::/3 and reserved outside.
const V6: [(Ipv6Net, AddressKind); 13] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), AddressKind::Unspecified),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), AddressKind::Loopback),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), AddressKind::Translated),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), AddressKind::Tunnel),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), AddressKind::Reserved),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), AddressKind::Documentation),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), AddressKind::Tunnel),
    (v6([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16), AddressKind::Reserved),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), AddressKind::Documentation),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), AddressKind::UniqueLocal),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), AddressKind::UniqueLocal),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), AddressKind::LinkLocal),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), AddressKind::Multicast),
];

/// The block that IANA hands out as global unicast.
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// The well-known prefix behind which NAT64 hides an IPv4 address (RFC 6052).
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

const fn v4(octets: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from_octets(octets), length)
}

const fn v6(segments: [u16; 8], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_segments(segments), length)
}

fn of_v4(address: Ipv4Addr) -> AddressKind {
    V4.iter().find(|(net, _)| net.contains(&address)).map_or(AddressKind::Public, |(_, kind)| *kind)
}

fn of_v6(address: Ipv6Addr) -> AddressKind {
    if let Some(inner) = address.to_ipv4_mapped() {
        // The system connects to the IPv4 address itself
        return of_v4(inner);
    }
    if NAT64.contains(&address) {
        // An IPv6-only machine reaches the public IPv4 world this way
        let [.., a, b, c, d] = address.octets();
        return match of_v4(Ipv4Addr::new(a, b, c, d)) {
            AddressKind::Public => AddressKind::Public,
            _ => AddressKind::Translated,
        };
    }
    let special = V6.iter().find(|(net, _)| net.contains(&address)).map(|(_, kind)| *kind);
    special.unwrap_or(if GLOBAL_UNICAST.contains(&address) {
        AddressKind::Public
    } else {
        AddressKind::Reserved
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::AddressKind::*;
    use super::*;

    fn kind(text: &str) -> AddressKind {
        AddressKind::of(text.parse().unwrap())
    }

    #[test]
    fn ipv4_table() {
        // The first and last address of each block, and its neighbours outside
        let cases = [
            ("0.0.0.0", Unspecified),
            ("0.255.255.255", Unspecified),
            ("1.0.0.0", Public),
            ("9.255.255.255", Public),
            ("10.0.0.0", Private),
            ("10.255.255.255", Private),
            ("11.0.0.0", Public),
            ("100.63.255.255", Public),
            ("100.64.0.0", Shared),
            ("100.100.100.200", Shared),
            ("100.127.255.255", Shared),
            ("100.128.0.0", Public),
            ("126.255.255.255", Public),
            ("127.0.0.1", Loopback),
            ("127.255.255.255", Loopback),
            ("128.0.0.0", Public),
            ("168.63.129.15", Public),
            ("168.63.129.16", CloudInternal),
            ("169.253.255.255", Public),
            ("169.254.169.254", LinkLocal),
            ("169.255.0.0", Public),
            ("172.15.255.255", Public),
            ("172.16.0.0", Private),
            ("172.31.255.255", Private),
            ("172.32.0.0", Public),
            ("192.0.0.192", Reserved),
            ("192.0.1.0", Public),
            ("192.0.2.1", Documentation),
            ("192.31.196.1", Reserved),
            ("192.52.193.1", Reserved),
            ("192.88.99.1", Tunnel),
            ("192.167.255.255", Public),
            ("192.168.0.0", Private),
            ("192.168.255.255", Private),
            ("192.169.0.0", Public),
            ("198.17.255.255", Public),
            ("198.18.0.0", Reserved),
            ("198.19.255.255", Reserved),
            ("198.20.0.0", Public),
            ("198.51.100.7", Documentation),
            ("203.0.113.255", Documentation),
            ("223.255.255.255", Public),
            ("224.0.0.1", Multicast),
            ("239.255.255.255", Multicast),
            ("240.0.0.1", Reserved),
            ("255.255.255.255", Reserved),
            ("8.8.8.8", Public),
        ];
        for (text, expected) in cases {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    #[test]
    fn ipv6_table() {
        let cases = [
            ("::", Unspecified),
            ("::1", Loopback),
            ("::2", Reserved),
            // IPv4-mapped: the same as the IPv4 address
            ("::ffff:127.0.0.1", Loopback),
            ("::ffff:7f00:1", Loopback),
            ("::ffff:10.0.0.1", Private),
            ("::ffff:169.254.169.254", LinkLocal),
            ("::ffff:0.0.0.0", Unspecified),
            ("::ffff:8.8.8.8", Public),
            // IPv4-compatible and IPv4-translated: forms of the past
            ("::127.0.0.1", Reserved),
            ("::8.8.8.8", Reserved),
            ("::ffff:0:127.0.0.1", Reserved),
            // NAT64
            ("64:ff9b::8.8.8.8", Public),
            ("64:ff9b::127.0.0.1", Translated),
            ("64:ff9b::10.1.2.3", Translated),
            ("64:ff9b::a9fe:a9fe", Translated),
            ("64:ff9b:1::8.8.8.8", Translated),
            ("64:ff9b:2::8.8.8.8", Reserved),
            // 6to4 and Teredo
            ("2002:7f00:1::", Tunnel),
            ("2002:a00:1::1", Tunnel),
            ("2001:0:7f00:1::", Tunnel),
            ("2001::1", Tunnel),
            // Protocol assignments, ORCHID, benchmarking
            ("2001:2::1", Reserved),
            ("2001:10::1", Reserved),
            ("2001:1ff:ffff::1", Reserved),
            ("2001:200::1", Public),
            ("2001:db8::1", Documentation),
            ("2001:db9::1", Public),
            ("3ffe::1", Reserved),
            ("3fff:fff::1", Documentation),
            ("3fff:1000::1", Public),
            ("2606:4700:4700::1111", Public),
            ("2a00:1450:4001:82a::200e", Public),
            ("4000::1", Reserved),
            ("5f00::1", Reserved),
            ("100::1", Reserved),
            ("fbff::1", Reserved),
            ("fc00::1", UniqueLocal),
            ("fd00:ec2::254", UniqueLocal),
            ("fe80::1", LinkLocal),
            ("febf::1", LinkLocal),
            ("fec0::1", UniqueLocal),
            ("ff02::1", Multicast),
        ];
        for (text, expected) in cases {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    proptest! {
        /// The table agrees with what the standard library says where it has a word for it.
        #[test]
        fn agrees_with_the_standard_library(number: u32) {
            let address = Ipv4Addr::from_bits(number);
            let kind = of_v4(address);
            prop_assert_eq!(kind == Private, address.is_private());
            prop_assert_eq!(kind == Loopback, address.is_loopback());
            prop_assert_eq!(kind == LinkLocal, address.is_link_local());
            prop_assert_eq!(kind == Multicast, address.is_multicast());
            prop_assert_eq!(kind == Documentation, address.is_documentation());
        }

        /// No disguise in IPv6 makes an inner address look public.
        #[test]
        fn disguises_do_not_help(index in 0..V4.len(), host: u32) {
            let (net, _) = V4[index];
            let inner = Ipv4Addr::from_bits(net.network().to_bits() | (host & net.hostmask().to_bits()));
            let [a, b, c, d] = inner.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let disguises = [
                inner.to_ipv6_mapped(),
                inner.to_ipv6_compatible(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, high, low, 0, 0, 0, 0),
                Ipv6Addr::new(0x2001, 0, 1, 2, 3, 4, !high, !low),
            ];
            for disguise in disguises {
                prop_assert_ne!(of_v6(disguise), Public, "{} of {}", disguise, inner);
            }
        }
    }
}
