//! What is measured, part by part.

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::data::{self, Data, Size};
use super::figures::{Section, Unit};
use super::page::{Connection, Page, Request};
use super::process::{BOTH, Cores, froc_score, milliseconds, peak};
use crate::shell::output;

/// What a detection takes in columns: box, score and class, with a little to spare.
const COLUMN_BYTES: f64 = 25.0;
/// A connection as many people have at home: 40 ms, 10 Mbit/s.
const HOME: Connection = (40.0, 10e6 / 8.0);
/// Milliseconds between a usable page and files chosen: nobody finds files faster.
const PAUSE: u32 = 1000;
/// For what takes minutes.
pub const FEW_ROUNDS: usize = 3;

/// The rows that goals look at.
pub mod row {
    pub const NATIVE_ONE: &str = "froc score, one core";
    pub const NATIVE_ALL: &str = "froc score, all cores";
    pub const FLOOR: &str = "inflating with libdeflate, one core";
    pub const PAGE_ONE: &str = "page, told of one core";
    pub const BUSY: &str = "page, told of one core: processor time of the whole browser";
    pub const PAGE_TWO: &str = "page, told of two cores";
    pub const PAGE_READ: &str = "page, told of two cores: until all is read";
    pub const AT_ONCE: &str = "page, told of two cores: chosen the moment it is usable";
    pub const RATES: &str = "page: other rates";
    pub const IOU: &str = "page: another IoU threshold";
    pub const TO_FLOOR: &str = "froc score / libdeflate, one core";
    pub const TO_NATIVE: &str = "page / froc score, one core";
    pub const SPEEDUP: &str = "page, one core / two cores";
    pub const MOST_SPEEDUP: &str = "page, one core / half of its processor time";
    pub const NATIVE_SPEEDUP: &str = "froc score, one core / all cores";
    pub const EACH: &str = "froc score, one core, each detection";
    pub const GROWTH: &str = "each detection / each of S";
    pub const HEAP: &str = "WebAssembly memory of all workers";
    pub const BEYOND: &str = "WebAssembly memory beyond the columns";
    pub const PEAK: &str = "renderer at its peak";
    pub const BOUNDED: &str = "renderer at its peak, 5 GB / L";
    pub const WEIGHT: &str = "sent for the first score, gzipped";
    pub const WASM: &str = "of that, WebAssembly";
    pub const USABLE: &str = "usable on a first visit, 10 Mbit/s and 40 ms";
    pub const CANCEL: &str = "Cancel while reading";
    pub const FRAME: &str = "longest wait for a frame while reading";
    pub const TILES: &str = "first tiles on the screen after the score";
    pub const SCROLLING: &str = "longest frame while scrolling";
    pub const TO_PEER: &str = "fastest package / froc score";
    pub const TO_SCRIPT: &str = "plain Python as the script / froc score";
}

/// Stage by stage, natively.
pub fn stages(bench: &Bench, section: &mut Section) -> Result<()> {
    native_stages(bench, &bench.sizes, bench.rounds, section)
}

fn native_stages(bench: &Bench, sizes: &[Size], rounds: usize, section: &mut Section) -> Result<()> {
    for size in sizes {
        let data = data::make(*size)?;
        for _ in 0..rounds {
            for cores in BOTH {
                let column = format!("{}, {}", size.name(), cores.name());
                let printed = output(cores.program(&bench.stages).arg(&data.ground_truth).arg(&data.zip))?;
                for (stage, ms) in serde_json::from_str::<Vec<(String, f64)>>(&printed)? {
                    section.add(&stage, &column, Unit::Milliseconds, ms);
                }
            }
        }
    }
    Ok(())
}

/// From files to scores, natively and in the page.
pub fn whole(bench: &Bench, section: &mut Section) -> Result<()> {
    let datasets = make(&bench.sizes)?;
    let mut page = Page::start()?;
    for (_, data) in &datasets {
        // Warms up, too.
        let (ours, shown) = (last_number(data)?, page.score(data, None, 0, 0)?.average);
        ensure!(ours == shown, "the terminal says {ours}, the page {shown}");
    }
    for _ in 0..bench.rounds {
        for (size, data) in &datasets {
            native(bench, *size, data, section)?;
            let mut add = |row, ms| section.add(row, size.name(), Unit::Milliseconds, ms);
            let alone = page.score(data, Some(1), PAUSE, 0)?;
            add(row::PAGE_ONE, alone.ms);
            add(row::BUSY, alone.busy_ms);
            let scored = page.score(data, Some(2), PAUSE, 1)?;
            add(row::PAGE_TWO, scored.ms);
            add(row::PAGE_READ, scored.read_ms);
            add(row::AT_ONCE, page.score(data, Some(2), 0, 0)?.ms);
            scored.rates_ms.iter().for_each(|ms| add(row::RATES, *ms));
            scored.iou_ms.iter().for_each(|ms| add(row::IOU, *ms));
        }
    }
    for (size, _) in &datasets {
        native_ratios(*size, section);
        let column = size.name();
        let [one, two, native] = [row::PAGE_ONE, row::PAGE_TWO, row::NATIVE_ONE].map(|row| section.values(row, column));
        section.add_ratio(row::TO_NATIVE, column, &one, &native);
        section.add_ratio(row::SPEEDUP, column, &one, &two);
        let half: Vec<f64> = section.values(row::BUSY, column).iter().map(|ms| ms / 2.0).collect();
        section.add_ratio(row::MOST_SPEEDUP, column, &one, &half);
    }
    section.remarks.push(
        "However many workers there are, two cores need half of the processor time that the browser takes at least; it tells \
         that in hundredths of a second."
            .to_owned(),
    );
    Ok(())
}

/// One round of what is native.
fn native(bench: &Bench, size: Size, data: &Data, section: &mut Section) -> Result<()> {
    let mut add = |row, unit, value| section.add(row, size.name(), unit, value);
    let one = milliseconds(&mut froc_score(Cores::One, data)?)?;
    add(row::NATIVE_ONE, Unit::Milliseconds, one);
    add(row::EACH, Unit::NanosecondsEach, one * 1e6 / size.detections() as f64);
    add(row::NATIVE_ALL, Unit::Milliseconds, milliseconds(&mut froc_score(Cores::All, data)?)?);
    let floor = output(Cores::One.program(&bench.stages).arg("floor").arg(&data.zip))?;
    add(row::FLOOR, Unit::Milliseconds, floor.trim().parse().context("no time of libdeflate")?);
    Ok(())
}

fn native_ratios(size: Size, section: &mut Section) {
    let of = |section: &Section, row| section.values(row, size.name());
    let (one, all, floor) = (of(section, row::NATIVE_ONE), of(section, row::NATIVE_ALL), of(section, row::FLOOR));
    section.add_ratio(row::TO_FLOOR, size.name(), &one, &floor);
    section.add_ratio(row::NATIVE_SPEEDUP, size.name(), &one, &all);
    let (each, least) = (of(section, row::EACH), section.values(row::EACH, Size::S.name()));
    section.add_ratio(row::GROWTH, size.name(), &each, &least);
}

/// Memory, natively and in the page.
pub fn memory(bench: &Bench, section: &mut Section) -> Result<()> {
    let datasets = make(&bench.sizes)?;
    let mut page = Page::start()?;
    for _ in 0..bench.rounds {
        for (size, data) in &datasets {
            for cores in BOTH {
                let column = format!("{}, {}", size.name(), cores.name());
                let mut add = |row, bytes| section.add_if(row, &column, Unit::Bytes, bytes);
                add("froc score at its peak", peak(&mut froc_score(cores, data)?)?);
                let memory = page.memory(data, Some(if cores == Cores::One { 1 } else { 2 }))?;
                let heap: f64 = memory.heaps.iter().sum();
                let columns = COLUMN_BYTES * size.detections() as f64;
                add(row::HEAP, Some(heap));
                add("of that, the largest worker", memory.heaps.iter().copied().reduce(f64::max));
                add("columns, 25 bytes a detection", Some(columns));
                add(row::BEYOND, Some(heap - columns));
                add(row::PEAK, memory.peak);
                add("renderer before a file is chosen", memory.before);
                section.add("workers", &column, Unit::Count, memory.heaps.len() as f64);
            }
        }
    }
    section.remarks.push(
        "\"All cores\" in the page means that it is told of two. The renderer's peak is the kernel's VmHWM; WebAssembly \
         memory never shrinks, so its last size is its peak."
            .to_owned(),
    );
    Ok(())
}

/// The page by itself: weight, first visit, manners while it reads.
pub fn page(bench: &Bench, section: &mut Section) -> Result<()> {
    let largest = *bench.sizes.iter().max().context("no size")?;
    let data = data::make(largest)?;
    let mut page = Page::start()?;
    let requests = page.weight(&data::make(Size::S)?)?;
    let (held, first): (Vec<&Request>, Vec<&Request>) = requests.iter().partition(|asked| asked.is_held);
    let bytes = |requests: &[&Request], ending: &str| {
        requests.iter().filter(|asked| asked.name.ends_with(ending)).map(|asked| asked.bytes).sum()
    };
    section.add(row::WEIGHT, "page", Unit::Bytes, bytes(&first, ""));
    section.add(row::WASM, "page", Unit::Bytes, bytes(&first, ".wasm"));
    section.add("sent for all else, gzipped", "page", Unit::Bytes, bytes(&held, ""));
    let list = |requests: &[&Request]| {
        let each = requests.iter().map(|asked| format!("`{}` {:.1} KB", asked.name, asked.bytes / 1e3));
        each.collect::<Vec<_>>().join(", ")
    };
    section.remarks.push(format!(
        "Sent for the first score: {}. All else is asked for at once, too, but was held back until that score was shown: {}.",
        list(&first),
        list(&held)
    ));
    for _ in 0..bench.rounds {
        let mut add = |row, ms| section.add(row, "page", Unit::Milliseconds, ms);
        add("usable on a first visit, from this machine", page.visit(None)?);
        add(row::USABLE, page.visit(Some(HOME))?);
        let manners = page.manners(&data)?;
        add(row::CANCEL, manners.cancel_ms);
        add(row::FRAME, manners.longest_frame_ms);
    }
    Ok(())
}

/// The gallery of the images behind a score.
pub fn gallery(bench: &Bench, section: &mut Section) -> Result<()> {
    // As many images as the dataset has, and as many as there may be; each takes half a minute.
    let sizes: Vec<Size> = [Size::M, Size::L].into_iter().filter(|size| bench.sizes.contains(size)).collect();
    let datasets = make(&sizes)?;
    let mut page = Page::start()?;
    for _ in 0..bench.rounds {
        for (size, data) in &datasets {
            let measured = page.gallery(data)?;
            let mut add = |row, ms| section.add(row, size.name(), Unit::Milliseconds, ms);
            add(row::TILES, measured.first);
            add(row::SCROLLING, measured.longest_frames.iter().copied().fold(0.0, f64::max));
            add("a moved threshold, to its counts", measured.threshold);
        }
    }
    section.remarks.push(
        "300 frames each at 10, 100, 1,000 and 50,000 pixels a frame; the longest of all. A threshold is moved 40 times, \
         and the median counts."
            .to_owned(),
    );
    Ok(())
}

/// The boxes of L in a zip of 5 GB.
pub fn huge(bench: &Bench, section: &mut Section) -> Result<()> {
    let (small, huge) = (data::make(Size::L)?, data::make_huge()?);
    let mut page = Page::start()?;
    let columns = [("L", &small), ("L in 5 GB", &huge)];
    for (column, data) in columns {
        section.add("zip", column, Unit::Bytes, data::bytes(&data.zip)? as f64);
    }
    for _ in 0..bench.rounds {
        for (column, data) in columns {
            let memory = page.memory(data, None)?;
            section.add(row::HEAP, column, Unit::Bytes, memory.heaps.iter().sum());
            section.add_if(row::PEAK, column, Unit::Bytes, memory.peak);
            section.add(
                "page, from files chosen to scores shown",
                column,
                Unit::Milliseconds,
                page.score(data, None, PAUSE, 0)?.ms,
            );
        }
    }
    let (small, huge) = (section.values(row::PEAK, "L"), section.values(row::PEAK, "L in 5 GB"));
    section.add_ratio(row::BOUNDED, "L in 5 GB", &huge, &small);
    Ok(())
}

/// Twenty million detections, natively, and how the time grows up to there.
pub fn xl(bench: &Bench, section: &mut Section) -> Result<()> {
    let datasets = make(&[Size::S, Size::L, Size::Xl])?;
    for _ in 0..bench.rounds {
        for (size, data) in &datasets {
            native(bench, *size, data, section)?;
        }
    }
    for (size, data) in &datasets {
        native_ratios(*size, section);
        for _ in 0..FEW_ROUNDS {
            let peak = peak(&mut froc_score(Cores::All, data)?)?;
            section.add_if("froc score at its peak", size.name(), Unit::Bytes, peak);
        }
    }
    native_stages(bench, &[Size::Xl], bench.rounds.min(FEW_ROUNDS), section)
}

fn make(sizes: &[Size]) -> Result<Vec<(Size, Data)>> {
    sizes.iter().map(|size| Ok((*size, data::make(*size)?))).collect()
}

/// The official average as the terminal prints it, in its last line.
pub fn last_number(data: &Data) -> Result<String> {
    let printed = output(&mut froc_score(Cores::All, data)?)?;
    let number = printed.trim_end().rsplit_once("avg recall = ").map(|(_, number)| number.to_owned());
    number.context("froc score prints no average")
}
