//! Writes an area's feeds household by household, with the truth beside them. Memory: one household, and a buffer for each open file.

use crate::area::{Area, AreaPlan, Sizes};
use crate::difference::{seen, Seen};
use crate::family::{Child, Families, Holder};
use crate::names::Names;
use crate::organisations::{auditor, entry, title, OrganisationEntry};
use crate::rows::{Format, Told};
use crate::{in_file, SynthesisError};
use contactpoint_domain::Gender;
use jiff::civil::Date;
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Most children of all areas together, and most authorities: so many have numbers and postcodes of their own.
const MOST_CHILDREN: u64 = 11_000_000;
const MOST_AUTHORITIES: u64 = 199;
/// Where a borough's feeds lie; truth.csv and the scenario lie beside it.
const BOROUGH_FEEDS: &str = "feeds";

/// What is to be written.
#[derive(Debug, Clone)]
pub struct Request {
    /// Same seed and date, same bytes.
    pub seed: u64,
    /// Children in all, 1 to 11,000,000.
    pub children: u64,
    /// The day on which everybody is under 18.
    pub today: Date,
    /// Directory to write into; made where it is not there.
    pub out: PathBuf,
}

/// One borough for the demo: feeds/, truth.csv, organisations.json, scenario.json. Returns the number of records written.
pub fn write_borough(request: &Request) -> Result<u64, SynthesisError> {
    let names = Names::load()?;
    let plan = AreaPlan { sizes: Sizes::BOROUGH, prefix: "", ..plan(request, 0, 1)? };
    let area = Area::of(plan, &names)?;
    let mut organisations = Vec::new();
    let (records, scenario) = write_area(&area, &names, &request.out, BOROUGH_FEEDS, &mut organisations)?;
    organisations.push(auditor(&names, request.seed));
    write_json(&request.out.join("organisations.json"), &organisations)?;
    let scenario = scenario.ok_or(SynthesisError::Option("too few children for a scenario: ask for 500 or more"))?;
    write_json(&request.out.join("scenario.json"), &scenario)?;
    Ok(records)
}

/// Many boroughs for benches: a directory for each authority, organisations.json for all. `merged` has one school and one surgery an
/// authority. Returns the number of records written.
pub fn write_feeds(request: &Request, authorities: u64, merged: bool) -> Result<u64, SynthesisError> {
    if !(1..=MOST_AUTHORITIES).contains(&authorities) {
        return Err(SynthesisError::Option("there can be 1 to 199 authorities"));
    }
    let names = Names::load()?;
    let (mut organisations, mut records) = (Vec::new(), 0);
    for index in 0..authorities {
        let plan = plan(request, index, authorities)?;
        let sizes = if merged { Sizes::MERGED } else { Sizes::realistic(plan.children) };
        let name = format!("a{index:03}");
        let area = Area::of(AreaPlan { sizes, prefix: &format!("{name}-"), ..plan }, &names)?;
        records += write_area(&area, &names, &request.out, &name, &mut organisations)?.0;
    }
    organisations.push(auditor(&names, request.seed));
    write_json(&request.out.join("organisations.json"), &organisations)?;
    Ok(records)
}

/// An even share of the children; the first areas have one more where it does not come out even.
fn plan(request: &Request, index: u64, authorities: u64) -> Result<AreaPlan<'static>, SynthesisError> {
    if !(1..=MOST_CHILDREN).contains(&request.children) {
        return Err(SynthesisError::Option("there can be 1 to 11,000,000 children"));
    }
    let (share, left) = (request.children / authorities, request.children % authorities);
    Ok(AreaPlan {
        seed: request.seed,
        index,
        children: share + u64::from(index < left),
        first_ordinal: share * index + left.min(index),
        today: request.today,
        sizes: Sizes::BOROUGH,
        prefix: "",
    })
}

fn write_area(
    area: &Area,
    names: &Names,
    out: &Path,
    directory: &str,
    organisations: &mut Vec<OrganisationEntry>,
) -> Result<(u64, Option<serde_json::Value>), SynthesisError> {
    let mut files = Files::create(area, out, directory)?;
    for supplier in &area.suppliers {
        organisations.push(entry(area, names, supplier, format!("{directory}/{}.csv", supplier.key)));
    }
    let mut scenario = None;
    for mut family in Families::of(area, names) {
        for child in &mut family {
            if directory == BOROUGH_FEEDS && scenario.is_none() && is_fit_for_the_scenario(area, child) {
                befits_the_scenario(child);
                scenario = Some(describe(area, names, child));
            }
            files.write(area, names, child)?;
        }
    }
    Ok((files.finish()?, scenario))
}

/// Positions of the suppliers that have something to say of the child.
fn suppliers_of(area: &Area, child: &Child) -> Vec<usize> {
    let last = area.suppliers.len() - 1;
    let council = child.social_care.then_some(0);
    let team = child.youth_offending.then_some(last - 1);
    let police = child.police.then_some(last);
    [council, child.school, Some(child.surgery), team, police].into_iter().flatten().collect()
}

/// A pupil of the first school on the first surgery's list, of an age and a name that tell easily.
fn is_fit_for_the_scenario(area: &Area, child: &Child) -> bool {
    let places = child.school == Some(area.first_school()) && child.surgery == area.first_surgery();
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphabetic());
    places && (6..=9).contains(&area.age(child.born)) && plain(&child.family) && plain(&child.given) && child.gender != Gender::Unspecified
}

/// Social care works with the child and leads; no other service does, and every supplier has it alike.
fn befits_the_scenario(child: &mut Child) {
    child.told_alike = true;
    (child.social_care, child.youth_offending, child.police) = (true, false, false);
    (child.assessment, child.lead) = (Some(Holder::School), Some(Holder::Council));
}

fn describe(area: &Area, names: &Names, child: &Child) -> serde_json::Value {
    let told: Seen<'_> = seen(area, names, child, area.first_school());
    let key = |position: usize| area.suppliers[position].key.as_str();
    let login = |position: usize| format!("{}.{}", title(area.suppliers[position].kind), key(position));
    let (school, surgery) = (area.first_school(), area.first_surgery());
    json!({
        "child": {
            "truth": truth_number(area, child),
            "family_name": told.family,
            "given_name": told.given,
            "date_of_birth": told.born.to_string(),
            "postcode": told.home.postcode,
        },
        "known_to": [key(school), key(surgery), key(0)],
        "not_known_to": key(surgery + 1),
        "lead_professional": key(0),
        "common_assessment": key(school),
        "personas": {
            "teacher": { "organisation": key(school), "login": login(school) },
            "gp": { "organisation": key(surgery), "login": login(surgery) },
            "other_gp": { "organisation": key(surgery + 1), "login": login(surgery + 1) },
            "social_worker": { "organisation": key(0), "login": login(0) },
            "auditor": { "organisation": "auditor", "login": "auditor.auditor" },
        },
    })
}

fn truth_number(area: &Area, child: &Child) -> String {
    format!("c{:08}", area.first_ordinal + child.ordinal)
}

/// The open files of one area.
struct Files {
    feeds: Vec<Feed>,
    truth: csv::Writer<File>,
    written: u64,
}

struct Feed {
    path: String,
    format: &'static Format,
    writer: csv::Writer<File>,
    /// Number of the next record; the header is 1.
    line: u64,
}

impl Files {
    fn create(area: &Area, out: &Path, directory: &str) -> Result<Self, SynthesisError> {
        let feeds_in = out.join(directory);
        std::fs::create_dir_all(&feeds_in).map_err(in_file(&feeds_in))?;
        let mut feeds = Vec::new();
        for supplier in &area.suppliers {
            let path = format!("{directory}/{}.csv", supplier.key);
            let format = Format::of(supplier.kind).ok_or(SynthesisError::Option("a supplier without a format"))?;
            let end = if format.crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let file = create(&out.join(&path))?;
            let mut writer = csv::WriterBuilder::new().delimiter(format.delimiter).terminator(end).from_writer(file);
            writer.write_record(format.header)?;
            feeds.push(Feed { path, format, writer, line: 2 });
        }
        let truth = if directory == BOROUGH_FEEDS { out.join("truth.csv") } else { feeds_in.join("truth.csv") };
        let mut truth = csv::Writer::from_writer(create(&truth)?);
        truth.write_record(["feed", "line", "child", "household", "difference"])?;
        Ok(Self { feeds, truth, written: 0 })
    }

    fn write(&mut self, area: &Area, names: &Names, child: &Child) -> Result<(), SynthesisError> {
        for position in suppliers_of(area, child) {
            let (feed, supplier) = (&mut self.feeds[position], &area.suppliers[position]);
            let seen = seen(area, names, child, position);
            let truth = [feed.path.clone(), feed.line.to_string(), truth_number(area, child)];
            let household = format!("h{:03}-{:07}", area.index, child.household);
            self.truth.write_record(truth.into_iter().chain([household, seen.difference.to_owned()]))?;
            let told = Told { area, supplier, child, seen, worker: Told::worker(supplier, child) };
            feed.writer.write_record(feed.format.row(&told))?;
            feed.line += 1;
            self.written += 1;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<u64, SynthesisError> {
        for feed in &mut self.feeds {
            feed.writer.flush().map_err(in_file(Path::new(&feed.path)))?;
        }
        self.truth.flush().map_err(in_file(Path::new("truth.csv")))?;
        Ok(self.written)
    }
}

fn create(path: &Path) -> Result<File, SynthesisError> {
    File::create(path).map_err(in_file(path))
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), SynthesisError> {
    let text = serde_json::to_string_pretty(value)?;
    std::fs::write(path, text + "\n").map_err(in_file(path))
}
