import { Title } from '../parts/frame.tsx'
import { shell } from '../strings.ts'

export function Operations() {
  return <Title>{shell.operations}</Title>
}
