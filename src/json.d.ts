/** Fact files are typed where they are loaded, so that `tsc` never infers a type from megabytes of JSON. */
declare module "*.json" {
  const value: unknown;
  export default value;
}
