import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resourcesFromInput } from './update.js';

test('members that are null count as not given, without a warning', () => {
  const text = '{"memory":{"limit":5,"swap":null},"cpu":null,"devices":[{"allow":true,"type":null}]}';
  const { resources, warnings } = resourcesFromInput(new TextEncoder().encode(text));
  assert.is(JSON.stringify(resources), '{"memory":{"limit":5},"devices":[{"allow":true}]}');
  assert.equal(warnings, []);
});

test('large numbers survive beside nulls', () => {
  const text = '{"memory":{"limit":9223372036854775807,"swap":null},"cpu":null}';
  const { resources } = resourcesFromInput(new TextEncoder().encode(text));
  assert.is(resources.memory?.limit, 9223372036854775807n);
  assert.equal(Object.keys(resources), ['memory']);
});

test.run();
