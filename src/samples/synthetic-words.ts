// The words of the synthetic register: neutral, and made up.

export const PARTIES = [
  { id: 'party-a', name: 'Party A' },
  { id: 'party-b', name: 'Party B' },
  { id: 'party-c', name: 'Party C' },
] as const

/** Not every programme reports how much it holds. */
export const PROGRAMMES = [
  { programme: 'shared-rules', title: 'Shared rules', scoped: true },
  { programme: 'joint-networks', title: 'Joint networks', scoped: true },
  { programme: 'public-services', title: 'Public services', scoped: true },
  { programme: 'research-and-skills', title: 'Research and skills', scoped: true },
  { programme: 'open-initiatives', title: 'Open initiatives', scoped: false },
] as const

export const SOURCES = [
  { source: 'bulletin', title: 'Made-up progress bulletin', publisher: 'Joint secretariat' },
  { source: 'plan', title: 'Made-up plan of measures', publisher: 'Joint secretariat' },
  { source: 'minutes', title: 'Made-up minutes of the steering group', publisher: 'Steering group' },
  { source: 'audit-notes', title: 'Made-up audit notes', publisher: 'Audit office' },
  { source: 'gazette', title: 'Made-up gazette', publisher: 'Example Press' },
] as const

export const THEMES = [
  { name: 'transport', unit: 'kilometres', objects: ['freight permits', 'regional bus lines', 'bridge inspections'] },
  { name: 'energy', unit: 'megawatts', objects: ['grid connections', 'heat networks', 'meter standards'] },
  { name: 'trade', unit: 'forms', objects: ['customs forms', 'product labels', 'weights and measures'] },
  { name: 'health', unit: 'clinics', objects: ['vaccine records', 'ambulance routes', 'laboratory methods'] },
  { name: 'education', unit: 'courses', objects: ['teacher exchanges', 'vocational diplomas', 'library catalogues'] },
  { name: 'environment', unit: 'stations', objects: ['river monitoring', 'forest maps', 'waste sorting'] },
  { name: 'digital', unit: 'services', objects: ['electronic signatures', 'address registers', 'data formats'] },
  { name: 'agriculture', unit: 'hectares', objects: ['seed certificates', 'soil surveys', 'veterinary checks'] },
] as const

export const VERBS = ['Adopt common rules for', 'Modernise', 'Publish guidance on', 'Open a joint office for'] as const

export const MILESTONE_STEPS = [
  'Draft agreed',
  'Funding secured',
  'Pilot run',
  'Staff trained',
  'Text approved',
] as const

export const REASONS = [
  { reason: 'The draft needed another round of comments', reasonCode: 'consultation' },
  { reason: 'Funding came a quarter later than planned', reasonCode: 'funding' },
  { reason: 'The supplier was replaced', reasonCode: 'supplier' },
  { reason: 'The scope was widened', reasonCode: 'scope' },
] as const

export const NOTES = [
  'Working group met',
  'Second draft under review',
  'Pilot sites chosen',
  'Half of the offices connected',
] as const

export const DISPUTES = [
  'Two of the offices named as connected are not',
  'The published text lacks its annexes',
  'The service could not be reached when it was tried',
] as const

export const METHODS = ['Site visit', 'Document review', 'Sample check'] as const

export const SUSPENSIONS = ['Waiting for a budget decision', 'Waiting for a court ruling'] as const

export const RATINGS = ['green', 'amber', 'red'] as const
