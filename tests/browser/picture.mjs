// Takes docs/simulator.png: a request asked, taken by one of two, done and confirmed, on the real
// daemon. Run by hand: node --test tests/browser/picture.mjs
import path from 'node:path';
import { test } from 'node:test';

import { source } from '../peers/lib.mjs';
import { startDaemon } from './daemon.mjs';
import { openPage, pane, startBrowser, write } from './lib.mjs';

async function answered(page, kind, count) {
	await pane(page, kind).locator('.note.bot').nth(count - 1).waitFor();
}

test('picture', async (t) => {
	const daemon = await startDaemon(t, {
		own: {
			residents: ['+8613800000001 王奶奶 zh-CN', '+8613800000002 Mr Brown en'],
			volunteers: ['+8613900000001 Li Ming en', '+8613900000002 Sarah en'],
			organisers: ['+8613700000001 Mrs Zhao en'],
			groups: ['en Helpers East en', 'zh 志愿者互助群 zh-CN'],
		},
	});
	const browser = await startBrowser(t);
	const page = await openPage(t, browser, daemon.url, { language: 'en', size: 'picture' });
	await write(page, 'resident', 'Mr Brown', 'Can somebody get me groceries at 6 pm? Building 3.');
	await answered(page, 'resident', 1);
	await write(page, 'resident', 'Mr Brown', 'entrance 2, flat 501');
	await answered(page, 'resident', 2);
	await write(page, 'resident', 'Mr Brown', '1');
	const group = pane(page, 'group');
	await group.getByRole('radio', { name: 'Sarah' }).check();
	/* Both in one turn of the page: neither has seen the other's. */
	await group.getByRole('button', { name: 'I take it' }).waitFor();
	await group.locator('[data-press]').evaluate((button) => {
		button.click();
		document.querySelector('.speakers input').click();
		document.querySelector('#pane-group [data-press]').click();
	});
	await group.locator('.note.bot').nth(1).waitFor();
	await write(page, 'volunteer', 'Sarah', 'on my way');
	await answered(page, 'volunteer', 2);
	await write(page, 'volunteer', 'Sarah', 'done');
	await answered(page, 'volunteer', 3);
	await write(page, 'resident', 'Mr Brown', 'yes');
	await answered(page, 'volunteer', 4);
	await page.evaluate(() => document.activeElement.blur());
	await page.mouse.move(0, 0);
	await page.screenshot({ path: path.join(source, 'docs/simulator.png') });
});
