// What stands below the score and is not needed for it: statistics with their plots, and where the points go.
export { default as Statistics } from "../views/trace/Statistics.svelte";
export { default as Where, Pictures, isPicture } from "../views/specimens/Where.svelte";
