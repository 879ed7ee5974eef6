import { expect, test } from 'vitest'
import { table } from '../table.ts'
import { addressGroup } from '../../src/http/limits/address-group.ts'

for (const { address, group } of table<'address' | 'group'>(`
  address                  | group
  192.0.2.7                | 192.0.2.7
  ::ffff:192.0.2.7         | 192.0.2.7
  ::ffff:c000:207          | 192.0.2.7
  ::FFFF:192.0.2.7         | 192.0.2.7
  2001:db8:1:2:3:4:5:6     | 2001:db8:1:2::/64
  2001:db8:1:2::           | 2001:db8:1:2::/64
  2001:0DB8:0001:0002::9   | 2001:db8:1:2::/64
  2001:db8:1:2:ffff::1.2.3.4 | 2001:db8:1:2::/64
  2001:db8:1:3::           | 2001:db8:1:3::/64
  2001:db8::1              | 2001:db8:0:0::/64
  ::1                      | 0:0:0:0::/64
  ::                       | 0:0:0:0::/64
  fe80::1%eth0             | fe80:0:0:0::/64
  1::                      | 1:0:0:0::/64
`)) {
  test(`${address} is limited as ${group}`, () => {
    expect(addressGroup(address)).toBe(group)
  })
}
