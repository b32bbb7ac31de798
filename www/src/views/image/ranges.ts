// How far a picture is made brighter or given more contrast; 1 leaves it as it is.
export const BRIGHTNESS = { min: 0.2, max: 3 };
export const CONTRAST = { min: 0.2, max: 4 };
