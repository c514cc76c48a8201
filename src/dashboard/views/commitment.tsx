import type { RegisterAnswer } from '../answers.ts'
import { Title } from '../parts/frame.tsx'

export function Commitment({ register, id }: { register: RegisterAnswer; id: string }) {
  return <Title over={register.title}>{id}</Title>
}
