// Whether an image opens in the right half of the window, beside the list, or over all of it.
import { MediaQuery } from "svelte/reactivity";

export const docked = new MediaQuery("min-width: 1400px");
