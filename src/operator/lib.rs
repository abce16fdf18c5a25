//! What contactpointctl does, one verb a file.
