import type { RegisterAnswer } from '../answers.ts'
import { Title } from '../parts/frame.tsx'

export function Event({ register, position }: { register: RegisterAnswer; position: string }) {
  return <Title over={register.title}>{position}</Title>
}
