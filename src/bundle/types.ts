/** The types of config.json; generated from schemas/config.schema.json. */
export type * from '../generated/config-types.js';
