//! How much is read at most, all in one place. Every limit is generous: it stops mistakes and attacks, not large studies.

/// The largest prediction file that is read, in bytes once inflated: 256 MiB. A file of one image is a few kilobytes;
/// 256 MiB hold 8 million boxes.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// The largest ground truth, or CSV of groups, that is read, in bytes: 1 GiB. A million images of ChestX-Det10's kind take about 300 MiB.
pub const MAX_GROUND_TRUTH_BYTES: u64 = 1 << 30;

/// The most that an entry, or all entries of a zip together, inflate to, as a multiple of their stored size. Files of
/// boxes and scores deflate to a third; deflate itself ends at 1,032.
pub const MAX_RATIO: u64 = 250;

/// Up to this many bytes an entry may inflate at any rate: 16 MiB, which does no harm.
pub const FREE_FILE_BYTES: u64 = 16 << 20;

/// Up to this many bytes all entries of a zip together may inflate at any rate: 256 MiB, a second's work.
pub const FREE_ZIP_BYTES: u64 = 256 << 20;

/// The most images of a ground truth and the most entries of a zip: 10 million, ten times the largest run foreseen. Each
/// takes about 400 bytes of memory while a zip is read.
pub const MAX_FILES: usize = 10_000_000;

/// The most lesions of one image: 100,000. An image of ChestX-Det10 has 24 at most.
pub const MAX_LESIONS_OF_IMAGE: usize = 100_000;

/// The most pairs of a detection and a lesion in one image: 200 million, which take two seconds or so. 14,000 detections on
/// 14,000 lesions are as many; an image of ChestX-Det10 with 300 detections has 7,200.
pub const MAX_PAIRS_OF_IMAGE: u64 = 200_000_000;

/// The most detections of one class in one image among which suppression, or the fusion of runs, looks for overlaps: 20,000, which make 200 million pairs. A detector
/// without suppression has some thousands.
pub const MAX_SUPPRESSED_OF_IMAGE: usize = 20_000;

/// The most boxes of one class in one image among which is looked for what readers agree on: 2,000. Three readers who draw all that there is
/// make a few dozen.
pub const MAX_READ_OF_IMAGE: usize = 2000;

/// The most readers of a ground truth: 10,000. VinDr-CXR has 17.
pub const MAX_READERS: usize = 10_000;

/// The most images, lesions or detections: what a `u32` can number. 20 million detections are 0.5 % of it.
pub const MAX_ROWS: usize = u32::MAX as usize - 1;

/// The most bytes of an unread class name that are kept.
pub const MAX_NAME_BYTES: usize = 64;

/// The most characters of one part of a sentence.
pub const MAX_SENTENCE_CHARS: usize = 400;

/// The longest first line that is taken for the header of a table, in bytes; a whole JSON file may stand in one line.
pub const MAX_HEADER_BYTES: usize = 1 << 16;
