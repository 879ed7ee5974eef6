import { invariant } from '../../core/invariant.ts'
import { runOne, type Sql } from '../../store/query.ts'
import {
  type Deployment,
  type Watermarks,
  findDeploymentRow,
  findWatermarks,
} from '../../store/deployment.ts'

/** What this database is for, and since when. The first start has made it. */
export async function findDeployment(sql: Sql): Promise<Deployment> {
  const deployment = await runOne(sql, findDeploymentRow, undefined)
  invariant(deployment !== undefined, 'the first start has made the deployment')
  return deployment
}

/** How far sealing and settlement have come, and the database's clock. */
export async function readWatermarks(sql: Sql): Promise<Watermarks> {
  const watermarks = await runOne(sql, findWatermarks, undefined)
  invariant(watermarks !== undefined, 'the first start has made the deployment')
  return watermarks
}
