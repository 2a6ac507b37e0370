/** Steps of the matrix's colour scale in a page: classes `h0` to `h31` of its style. */
export const heatLevels = 32;
