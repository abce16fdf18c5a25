//! Look-ups and nginx in turns, A B A B, so that whatever else the machine does meets both; and what is made of the turns.

use crate::fault::Fault;
use crate::load::{run, Measured, Shape, Target};
use std::sync::Arc;
use std::time::Duration;

/// How often, how long, how heavy.
pub struct Plan {
    /// Pairs of turns at each number of connections.
    pub pairs: usize,
    /// Seconds of one turn that are counted.
    pub seconds: f64,
    /// Numbers of connections.
    pub connections: Vec<usize>,
    /// Threads of the client.
    pub threads: usize,
}

/// All turns at one number of connections.
pub struct Round {
    /// Connections.
    pub connections: usize,
    /// The daemon's turns.
    pub ours: Vec<Measured>,
    /// nginx's turns.
    pub theirs: Vec<Measured>,
}

impl Plan {
    /// The shape of a load over so many connections.
    pub fn shape(&self, connections: usize) -> Shape {
        let window = Duration::from_secs_f64(self.seconds);
        Shape { connections, threads: self.threads, warm_up: window.mul_f64(0.2), window }
    }
}

/// Runs all rounds; says each turn on standard error.
pub fn rounds(plan: &Plan, ours: &Arc<Target>, theirs: &Arc<Target>) -> Result<Vec<Round>, Fault> {
    let turn = |target: &Arc<Target>, connections: usize| {
        let measured = run(target, plan.shape(connections))?;
        let Measured { rate, p50, p99, .. } = measured;
        eprintln!("  {connections:>3} connections  {:<9} {rate:>9.0}/s  p50 {p50:>7.0} us  p99 {p99:>7.0} us", target.name);
        Ok::<_, Fault>(measured)
    };
    let mut rounds = Vec::new();
    for connections in &plan.connections {
        let mut round = Round { connections: *connections, ours: Vec::new(), theirs: Vec::new() };
        for _ in 0..plan.pairs {
            round.ours.push(turn(ours, *connections)?);
            round.theirs.push(turn(theirs, *connections)?);
        }
        rounds.push(round);
    }
    Ok(rounds)
}

impl Round {
    /// Median over the pairs of ours divided by theirs, and the lowest and highest.
    pub fn ratio(&self) -> [f64; 3] {
        let mut ratios: Vec<f64> = self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| ours.rate / theirs.rate).collect();
        ratios.sort_by(f64::total_cmp);
        [median(ratios.clone()), ratios.first().copied().unwrap_or(0.0), ratios.last().copied().unwrap_or(0.0)]
    }

    /// Median of our slow answers divided by the median of theirs.
    pub fn slowness(&self) -> f64 {
        of(&self.ours, |measured| measured.p99) / of(&self.theirs, |measured| measured.p99)
    }
}

/// The median of one figure over some turns.
pub fn of(turns: &[Measured], figure: impl Fn(&Measured) -> f64) -> f64 {
    median(turns.iter().map(figure).collect())
}

/// The one in the middle, or half-way between the two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.len() % 2, values.get(middle), middle.checked_sub(1).and_then(|before| values.get(before))) {
        (1, Some(one), _) => *one,
        (_, Some(one), Some(other)) => (one + other) / 2.0,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(Vec::new()), 0.0);
    }
}
