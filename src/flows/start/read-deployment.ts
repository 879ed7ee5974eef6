import { invariant } from '../../core/invariant.ts'
import { type Sql, runOne } from '../../store/query.ts'
import { type Deployment, readDeployment } from '../../store/queries/read-deployment.ts'
import { type Marks, readMarks } from '../../store/queries/read-marks.ts'

/** What this database is for, and since when. The first start has made it. */
export async function findDeployment(sql: Sql): Promise<Deployment> {
  const deployment = await runOne(sql, readDeployment, undefined)
  invariant(deployment !== undefined, 'the first start has made the deployment')
  return deployment
}

/** How far sealing and settlement have come, and the database's clock. */
export async function findMarks(sql: Sql): Promise<Marks> {
  const marks = await runOne(sql, readMarks, undefined)
  invariant(marks !== undefined, 'the first start has made the deployment')
  return marks
}
