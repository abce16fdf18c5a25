//! Why somebody looks (rule D2: every view states a coded reason).

use crate::checked::coded;

coded!(
    /// The coded reason of a look-up.
    Purpose, "reason" {
        /// Day-to-day contact with another practitioner of the child.
        Coordination = "coordination" / 1,
        /// A concern for the child's welfare, below the threshold of an enquiry.
        Concern = "concern" / 2,
        /// Preparing or reviewing a common assessment.
        Assessment = "assessment" / 3,
        /// An enquiry under section 47 of the Children Act 1989.
        Section47 = "section-47" / 4,
        /// The child is missing from home, care or education.
        Missing = "missing" / 5,
        /// Moving school, practice or area.
        Transfer = "transfer" / 6,
        /// Answering a subject-access request.
        SubjectAccess = "subject-access" / 7,
        /// Checking how the directory is used.
        Audit = "audit" / 8,
    }
);
