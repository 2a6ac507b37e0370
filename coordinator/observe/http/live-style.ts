/** What the live page adds to the report's style. */
export const liveStyle = `
`;
