//! Are these two records one child, and by which keys are they found.
