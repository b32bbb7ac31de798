//! What the page loads later: the parts of the engine that no first score needs stand in a second WebAssembly module, which
//! the build cuts out where [`later!`] says so (feature `split`). Everywhere else all is there at once.

use crate::error::Error;

/// The second module is not there yet, or could not be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotLoaded;

impl NotLoaded {
    /// What such an error says is there.
    pub(crate) const WHAT: &str = "the part of the engine that it needs is not there";
}

/// One sentence for people, who see it only if the page could not load the module at all.
impl From<NotLoaded> for Error {
    fn from(_: NotLoaded) -> Self {
        Self::new("", NotLoaded::WHAT, "all files of the page; reload it").of_kind(crate::error::ErrorKind::OutOfMemory)
    }
}

/// Does what stands in the braces in the second module: a function that takes variables of these names and types. Gives
/// [`NotLoaded`] if the module is not there.
macro_rules! later {
    (fn $name:ident($($argument:ident: $kind:ty),* $(,)?) -> $out:ty { $($body:tt)* }) => {{
        #[cfg(all(target_arch = "wasm32", feature = "split"))]
        {
            #[::wasm_split_helpers::wasm_split(rest, fallible)]
            fn $name($($argument: $kind),*) -> Result<$out, $crate::later::NotLoaded> {
                fn work($($argument: $kind),*) -> $out {
                    $($body)*
                }
                Ok(work($($argument),*))
            }
            $crate::later::now($name($($argument),*))
        }
        #[cfg(not(all(target_arch = "wasm32", feature = "split")))]
        {
            fn $name($($argument: $kind),*) -> $out {
                $($body)*
            }
            Ok::<$out, $crate::later::NotLoaded>($name($($argument),*))
        }
    }};
}
pub(crate) use later;

#[cfg(all(target_arch = "wasm32", feature = "split"))]
impl From<wasm_split_helpers::SplitLoaderError> for NotLoaded {
    fn from(_: wasm_split_helpers::SplitLoaderError) -> Self {
        Self
    }
}

/// The result of a call into the second module: the page answers at once whether that is there.
#[cfg(all(target_arch = "wasm32", feature = "split"))]
pub(crate) fn now<T>(call: impl Future<Output = Result<T, NotLoaded>>) -> Result<T, NotLoaded> {
    use std::task::{Context, Poll, Waker};

    let mut call = std::pin::pin!(call);
    let mut context = Context::from_waker(Waker::noop());
    // First it asks the page, then it sees the answer and does the work.
    for _ in 0..2 {
        if let Poll::Ready(result) = call.as_mut().poll(&mut context) {
            return result;
        }
    }
    Err(NotLoaded)
}
