//! The children of the shared borough, as their suppliers send them. NHS numbers are of the range 999, which is never issued.

use std::path::Path;

/// A record: column and value; the other columns of the layout stay empty.
pub(crate) type Row = Vec<(&'static str, String)>;

/// Known to her school, her surgery, the council and the youth offending team.
pub(crate) const AMELIA: (&str, &str) = ("Thornbury", "2014-03-09");
/// On the roll of the other school and the list of the other surgery.
pub(crate) const IDRIS: (&str, &str) = ("Castellan", "2012-11-30");
/// On the roll and list that Amelia is on; looked at by one test alone.
pub(crate) const MARGIT: (&str, &str) = ("Wetherall", "2013-07-21");
/// Twenty-one of one name at one address, and twenty.
pub(crate) const TOO_MANY: (&str, &str) = ("Brackenbury", "ZZ99 2BB");
pub(crate) const JUST_ENOUGH: (&str, &str) = ("Applecote", "ZZ99 2BD");

const GIVEN: [&str; 21] = [
    "Ada", "Bela", "Cora", "Dunja", "Edda", "Femi", "Gwen", "Hana", "Iris", "Juno", "Kezia", "Lotte", "Mina", "Nerys", "Oona", "Petra",
    "Quita", "Runa", "Sefa", "Tilde", "Una",
];

fn row(values: &[(&'static str, &str)]) -> Row {
    values.iter().map(|(column, value)| (*column, (*value).to_owned())).collect()
}

pub(crate) fn oak_lane_roll() -> Vec<Row> {
    let amelia = row(&[
        ("UPN", "W820990000001"),
        ("Legal Surname", "Thornbury"),
        ("Legal Forename", "Amelia Rose"),
        ("Former Surname", "Okafor"),
        ("DOB", "09/03/2014"),
        ("Gender", "F"),
        ("Address Line 1", "12 Lantern Row"),
        ("Address Line 2", "Upper Mere"),
        ("Town", "Sandford"),
        ("Postcode", "ZZ99 1AA"),
        ("NHS Number", "999 000 0018"),
        ("Contact 1 Surname", "Thornbury"),
        ("Contact 1 Forename", "Helene"),
        ("Contact 1 Relationship", "Mother"),
        ("Contact 1 Telephone", "01632 960101"),
        ("Contact 1 Email", "helene.thornbury@mail.example"),
        ("Tutor Surname", "Bexley"),
        ("Tutor Forename", "Ruth"),
        ("Tutor Email", "r.bexley@oak-lane.example"),
        ("CAF", "N"),
        ("Lead Professional", "N"),
    ]);
    let margit = row(&[
        ("UPN", "Z820990000003"),
        ("Legal Surname", "Wetherall"),
        ("Legal Forename", "Margit"),
        ("DOB", "21/07/2013"),
        ("Gender", "F"),
        ("Address Line 1", "3 Tallow Yard"),
        ("Postcode", "ZZ99 1AD"),
        ("NHS Number", "9990000034"),
    ]);
    let crowd = |count: usize, (family, postcode): (&'static str, &'static str)| {
        GIVEN.iter().take(count).enumerate().map(move |(at, given)| {
            let born = format!("{:02}/05/2015", at + 1);
            row(&[
                ("Legal Surname", family),
                ("Legal Forename", given),
                ("DOB", &born),
                ("Address Line 1", "1 Almshouse Court"),
                ("Postcode", postcode),
            ])
        })
    };
    [amelia, margit].into_iter().chain(crowd(21, TOO_MANY)).chain(crowd(20, JUST_ENOUGH)).collect()
}

pub(crate) fn river_road_roll() -> Vec<Row> {
    vec![row(&[
        ("UPN", "K820990000002"),
        ("Legal Surname", "Castellan"),
        ("Legal Forename", "Idris"),
        ("DOB", "30/11/2012"),
        ("Gender", "M"),
        ("Address Line 1", "77 Weir Street"),
        ("Postcode", "ZZ99 1AB"),
        ("NHS Number", "9990000026"),
    ])]
}

pub(crate) fn mill_surgery_list() -> Vec<Row> {
    let amelia = row(&[
        ("NHS_NUMBER", "9990000018"),
        ("DATE_OF_BIRTH", "20140309"),
        ("SEX", "2"),
        ("FAMILY_NAME", "Thornbury"),
        ("GIVEN_NAMES", "Amelia Rose"),
        ("ADDRESS_1", "12 Lantern Row"),
        ("ADDRESS_2", "Sandford"),
        ("POSTCODE", "ZZ99 1AA"),
        ("GUARDIAN_FAMILY_NAME", "Thornbury"),
        ("GUARDIAN_GIVEN_NAME", "Piotr"),
        ("GUARDIAN_ROLE", "FATHER"),
        ("GUARDIAN_PHONE", "01632 960102"),
        ("GP_FAMILY_NAME", "Dalgleish"),
        ("GP_GIVEN_NAME", "Moira"),
        ("PRACTICE_PHONE", "01632 960111"),
    ]);
    let margit = row(&[
        ("NHS_NUMBER", "9990000034"),
        ("DATE_OF_BIRTH", "20130721"),
        ("SEX", "2"),
        ("FAMILY_NAME", "Wetherall"),
        ("GIVEN_NAMES", "Margit"),
        ("POSTCODE", "ZZ99 1AD"),
        ("ADDRESS_1", "3 Tallow Yard"),
    ]);
    vec![amelia, margit]
}

pub(crate) fn bridge_practice_list() -> Vec<Row> {
    vec![row(&[
        ("NHS_NUMBER", "9990000026"),
        ("DATE_OF_BIRTH", "20121130"),
        ("SEX", "1"),
        ("FAMILY_NAME", "Castellan"),
        ("GIVEN_NAMES", "Idris"),
        ("ADDRESS_1", "77 Weir Street"),
        ("POSTCODE", "ZZ99 1AB"),
    ])]
}

pub(crate) fn council_services() -> Vec<Row> {
    vec![row(&[
        ("surname", "Thornbury"),
        ("forenames", "Amelia Rose"),
        ("date_of_birth", "2014-03-09"),
        ("gender", "female"),
        ("house", "12"),
        ("street", "Lantern Row"),
        ("town", "Sandford"),
        ("postcode", "zz991aa"),
        ("nhs_number", "9990000018"),
        ("upn", "W820990000001"),
        ("worker_surname", "Iqbal"),
        ("worker_forename", "Nadia"),
        ("worker_phone", "01632 960121"),
        ("worker_email", "n.iqbal@sandford.example"),
        ("caf", "true"),
        ("lead_professional", "true"),
    ])]
}

/// The newest word on Amelia, and without an address: the one shown is the last that is known.
pub(crate) fn youth_offending() -> Vec<Row> {
    vec![row(&[
        ("Forename", "Amelia Rose"),
        ("Surname", "Thornbury"),
        ("Born", "09 Mar 2014"),
        ("Sex", "Girl"),
        ("UPN", "W820990000001"),
        ("Officer Surname", "Quayle"),
        ("Officer Forename", "Stephen"),
        ("Officer Phone", "01632 960131"),
        ("CAF Held", "No"),
        ("Lead", "No"),
    ])]
}

/// Everything in these feeds that speaks of a person, for tests that nothing of it is anywhere else: as it was sent, and without blanks,
/// as telephones, numbers and postcodes are kept.
pub(crate) fn said_of_people() -> Vec<String> {
    let rolls = [oak_lane_roll(), river_road_roll(), mill_surgery_list(), bridge_practice_list(), council_services(), youth_offending()];
    let plain = ["Gender", "SEX", "Sex", "gender", "CAF", "caf", "CAF Held", "Lead", "house", "GUARDIAN_ROLE", "Contact 1 Relationship"];
    let told = rolls.into_iter().flatten().flatten().filter(|(column, _)| !plain.contains(column)).map(|(_, value)| value);
    let mut told: Vec<String> = told.filter(|value| value.len() > 4 && value != "Sandford").collect();
    let with_digits = told.iter().filter(|value| value.contains(' ') && value.contains(|c: char| c.is_ascii_digit()));
    let without_blanks: Vec<String> = with_digits.map(|value| value.replace(' ', "")).collect();
    told.extend(without_blanks);
    told.sort();
    told.dedup();
    told
}

/// The names of a shipped layout's columns and its delimiter, read from the layout itself.
pub(crate) fn columns(layout: &str) -> (String, Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("config/layouts/{layout}.toml"));
    let layout: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let columns = layout["column"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap().to_owned());
    (layout["delimiter"].as_str().unwrap().to_owned(), columns.collect())
}

/// The header and the records of a file, as the layout wants them.
pub(crate) fn sheet(layout: &str, rows: &[Row]) -> String {
    let (delimiter, columns) = columns(layout);
    let header = columns.join(&delimiter);
    let records = rows.iter().map(|row| record(&delimiter, &columns, row));
    std::iter::once(header).chain(records).map(|line| format!("{line}\n")).collect()
}

fn record(delimiter: &str, columns: &[String], row: &Row) -> String {
    assert!(row.iter().all(|(column, _)| columns.iter().any(|known| known == column)), "{row:?}");
    let value = |column: &String| row.iter().find(|(named, _)| named == column).map_or("", |(_, value)| value.as_str());
    columns.iter().map(value).collect::<Vec<_>>().join(delimiter)
}
