//! Shares of what is scarce - connections, handshakes, bytes of bodies: so much in all, so much of one holder.
//!
//! For: counting that cannot leak - a share is given back when it is dropped - and that lets no holder take what others need. Leaves to
//! others: who the holder is (an organisation; an address before it is known whose it is), what is said to one who gets none.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// How much is taken, in all and by holder; cheap to clone.
#[derive(Debug)]
pub(crate) struct Places<H: Hash + Eq>(Arc<Counted<H>>);

#[derive(Debug)]
struct Counted<H> {
    most: usize,
    most_of_one: usize,
    taken: Mutex<Taken<H>>,
}

#[derive(Debug)]
struct Taken<H> {
    in_all: usize,
    by_holder: HashMap<H, usize>,
}

/// A share that is held; dropping it gives it back.
#[derive(Debug)]
#[must_use = "a place that is not held is given back"]
pub(crate) struct Place<H: Hash + Eq> {
    counted: Arc<Counted<H>>,
    holder: H,
    units: usize,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The holder has as much as one may have.
    OfOne,
    /// Others have what is left.
    InAll,
}

impl<H: Hash + Eq> Clone for Places<H> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<H: Hash + Eq + Copy> Places<H> {
    pub(crate) fn new(most: usize, most_of_one: usize) -> Self {
        let taken = Mutex::new(Taken { in_all: 0, by_holder: HashMap::new() });
        Self(Arc::new(Counted { most, most_of_one, taken }))
    }

    /// So many units for the holder, all of them or none.
    pub(crate) fn take(&self, holder: H, units: usize) -> Result<Place<H>, Full> {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.by_holder.get(&holder).copied().unwrap_or(0).saturating_add(units);
        if own > self.0.most_of_one {
            return Err(Full::OfOne);
        }
        let in_all = taken.in_all.saturating_add(units);
        if in_all > self.0.most {
            return Err(Full::InAll);
        }
        taken.in_all = in_all;
        taken.by_holder.insert(holder, own);
        Ok(Place { counted: Arc::clone(&self.0), holder, units })
    }

    /// True where nobody gets anything more at present.
    pub(crate) fn is_full(&self) -> bool {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner).in_all >= self.0.most
    }
}

impl<H: Hash + Eq> Drop for Place<H> {
    fn drop(&mut self) {
        let mut taken = self.counted.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.in_all -= self.units;
        if let Some(own) = taken.by_holder.get_mut(&self.holder) {
            *own -= self.units;
            if *own == 0 {
                taken.by_holder.remove(&self.holder);
            }
        }
    }
}

/// Who counts as one before it is known whose connection it is: an IPv4 address, or the 64 bits of an IPv6 address that one site has.
pub(crate) fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_in_all_and_by_holder_and_given_back() {
        // the edge: limits on connections per organisation and in all
        let places = Places::new(3, 2);
        let held: Vec<_> = (0..2).map(|_| places.take("one", 1).unwrap()).collect();
        assert_eq!(places.take("one", 1).unwrap_err(), Full::OfOne);
        let other = places.take("other", 1).unwrap();
        assert!(places.is_full());
        assert_eq!(places.take("third", 1).unwrap_err(), Full::InAll);
        drop(held);
        assert_eq!(places.take("third", 3).unwrap_err(), Full::OfOne);
        drop(places.take("third", 2).unwrap());
        drop(other);
        let left = places.0.taken.lock().unwrap();
        assert!(left.in_all == 0 && left.by_holder.is_empty());
    }

    #[test]
    fn a_site_is_one_source_however_many_addresses_it_has() {
        // the edge: limits on connections
        let of = |address: &str| source(address.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
