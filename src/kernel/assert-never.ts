/** Makes the compiler refuse a switch that forgot a member of its union; throws if a value slips through at run time. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`)
}
