//! Where made-up people live: boroughs that do not exist, postcodes of areas that do not exist, telephone numbers kept free for drama.

use crate::random::Random;

/// Postcode areas that end in Z: the second letter of an area is never I, J or Z (BS 7666), so none of these exists. First letters are
/// never Q, V or X. ZZ99, which the NHS uses as a stand-in, is left out: districts stop at 90.
const FIRST_LETTERS: &[u8] = b"ZABCDEFGHIJKLMNOPRSTUWY";
/// Letters of inward codes: never C, I, K, M, O or V.
const INWARD_LETTERS: &[u8] = b"ABDEFGHJLNPQRSTUWXYZ";
/// Postcodes an authority can have: 10 districts of 10 sectors of 400 units.
const MOST_POSTCODES: u64 = 40_000;

const STREETS: &[&str] = &[
    "High Street",
    "Station Road",
    "Church Lane",
    "Victoria Road",
    "Green Lane",
    "Manor Road",
    "Park Avenue",
    "Queens Road",
    "Mill Lane",
    "The Crescent",
    "Kings Road",
    "Albert Street",
    "Windsor Close",
    "Springfield Road",
    "Highfield Avenue",
    "Grange Road",
    "Chestnut Drive",
    "Meadow View",
    "St. John's Road",
    "Orchard Way",
    "Elm Grove",
    "Broadway",
    "York Street",
    "Alexandra Terrace",
    "Cedar Close",
    "Northfield Road",
    "Westbourne Gardens",
    "Canal Walk",
    "Foundry Yard",
    "Primrose Hill",
    "Ashdown Court",
    "Beech Road",
    "Hawthorn Way",
    "Juniper Mews",
    "Larch Close",
    "Rowan Drive",
    "Poplar Street",
    "Willow Bank",
    "Sycamore Place",
    "Hazel Grove",
];
const TOWN_STARTS: &[&str] = &[
    "Ashcombe",
    "Barrowmere",
    "Calderwick",
    "Dunsholt",
    "Eastermoor",
    "Fernleigh",
    "Garrowby",
    "Hallowdene",
    "Inglemarsh",
    "Kestrelford",
    "Langmoor",
    "Merrowdale",
    "Nettlestead",
    "Oakenshaw",
    "Pellbridge",
    "Quarrington",
    "Rushmere",
    "Saltersgate",
    "Thornwick",
    "Underhill",
];
const TOWN_ENDS: &[&str] = &["", " Vale", " Heath", " Green", " Cross", " Bridge", " Marsh", " Ferry", " Park", " Fields"];

/// A made-up address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) house: String,
    pub(crate) street: &'static str,
    pub(crate) town: String,
    pub(crate) postcode: String,
    /// Number of the postcode in its authority: decides school and surgery.
    pub(crate) neighbourhood: u64,
}

/// The town an authority is named after; up to 200 different ones.
pub(crate) fn town(authority: u64) -> String {
    let start = TOWN_STARTS[(authority % 20) as usize];
    format!("{start}{}", TOWN_ENDS[(authority / 20 % 10) as usize])
}

/// A home in an authority of so many children: about twelve homes share a postcode, and all of them a street.
pub(crate) fn home(authority: u64, children: u64, random: &mut Random) -> Home {
    let neighbourhood = random.below((children / 20).clamp(20, MOST_POSTCODES));
    let number = 1 + random.below(90);
    let house = if random.chance(180) { format!("Flat {}, {number}", 1 + random.below(12)) } else { number.to_string() };
    let street = STREETS[(Random::at(&[authority, neighbourhood]).below(STREETS.len() as u64)) as usize];
    Home { house, street, town: town(authority), postcode: postcode(authority, neighbourhood), neighbourhood }
}

/// The postcode with this number in its authority.
pub(crate) fn postcode(authority: u64, number: u64) -> String {
    let areas = FIRST_LETTERS.len() as u64;
    let area = char::from(FIRST_LETTERS[(authority % areas) as usize]);
    let district = 1 + authority / areas * 10 + number % 10;
    let sector = number / 10 % 10;
    // 211 has no factor in common with 400: each unit once, in no order that shows
    let unit = (number / 100 * 211 + number % 100 * 7) % 400;
    let letter = |at: u64| char::from(INWARD_LETTERS[at as usize]);
    format!("{area}Z{district} {sector}{}{}", letter(unit / 20), letter(unit % 20))
}

/// A number that Ofcom keeps free for radio and television: mobile 07700 900xxx.
pub(crate) fn mobile(random: &mut Random) -> String {
    format!("07700 900{:03}", random.below(1000))
}

/// A number that Ofcom keeps free for radio and television: 01632 960xxx, which is nowhere, or London 020 7946 0xxx.
pub(crate) fn landline(random: &mut Random) -> String {
    let number = random.below(1000);
    if random.chance(500) {
        format!("01632 960{number:03}")
    } else {
        format!("020 7946 0{number:03}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contactpoint_domain::Postcode;

    #[test]
    fn postcodes_have_a_real_shape_and_lie_nowhere() {
        for authority in 0..199 {
            for number in (0..MOST_POSTCODES).step_by(377) {
                let postcode = postcode(authority, number);
                assert!(Postcode::try_from(postcode.as_str()).is_ok(), "{postcode}");
                assert_eq!(&postcode[1..2], "Z");
                assert!(!postcode.starts_with("ZZ99"));
            }
        }
    }

    #[test]
    fn every_postcode_of_every_authority_is_another() {
        let postcodes: std::collections::HashSet<String> =
            [0, 1, 23, 198].into_iter().flat_map(|a| (0..MOST_POSTCODES).map(move |n| postcode(a, n))).collect();
        assert_eq!(postcodes.len() as u64, 4 * MOST_POSTCODES);
    }

    #[test]
    fn authorities_have_towns_of_their_own() {
        let towns: std::collections::BTreeSet<String> = (0..199).map(town).collect();
        assert_eq!(towns.len(), 199);
    }
}
