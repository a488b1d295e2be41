// The simulator's page alone, in Chromium, on the real adapter and web server with an echoing house.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
	accessible, browserMissing, choosePhone, fits, noFaults, openPage, pane, startBrowser, startEcho,
	turnTo, write,
} from './lib.mjs';

const skip = browserMissing();

async function both(t, options) {
	const echo = await startEcho(t);
	const browser = await startBrowser(t);
	const page = await openPage(t, browser, echo.url, options);
	return { echo, browser, page };
}

for (const language of ['zh-CN', 'en'])
	for (const size of ['desk', 'phone'])
		test(`reads well: ${language}, ${size}`, { skip }, async (t) => {
			for (const dark of [false, true]) {
				const { echo, page } = await both(t, { language, size, dark });
				assert.equal(await page.locator('html').getAttribute('lang'), language);
				await accessible(page);
				await write(page, 'resident', '王奶奶', 'card');
				await pane(page, 'resident').locator('.note.bot').first().waitFor();
				await turnTo(page, 'group');
				const card = pane(page, 'group').locator('.note.bot').first();
				await card.waitFor();
				await card.locator('[data-reply]').click();
				await fits(page);
				await accessible(page);
				noFaults(page);
				await page.close();
				await echo.quit();
			}
		});

test('the security policy is there and holds', { skip }, async (t) => {
	const { echo, page } = await both(t, {});
	const { headers } = await fetch(echo.url);
	assert.equal(headers.get('content-security-policy'),
		"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
		+ "img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'");
	assert.equal(headers.get('x-content-type-options'), 'nosniff');
	noFaults(page);
	await page.evaluate(() => {
		const script = document.createElement('script');
		script.textContent = 'globalThis.ran = true';
		document.body.append(script);
	});
	assert.equal(await page.evaluate(() => globalThis.ran), undefined);
	assert.match(page.faults.join('\n'), /script-src/);
});

test('nothing is cut off at 320 px', { skip }, async (t) => {
	const { page } = await both(t, { size: 'narrow', language: 'en' });
	await write(page, 'resident', '王奶奶', `card ${'long'.repeat(80)} https://example.org/${'a'.repeat(200)}`);
	await pane(page, 'resident').locator('.note.bot').waitFor();
	for (const kind of ['resident', 'group', 'volunteer', 'organiser']) {
		await turnTo(page, kind);
		await fits(page);
	}
});

test('markup in a text stays text', { skip }, async (t) => {
	const { page } = await both(t, {});
	await write(page, 'resident', '王奶奶', 'card');
	const card = pane(page, 'group').locator('.note.bot .text');
	await card.waitFor();
	assert.equal(await card.textContent(), '4713\n<b>groceries</b> & "medicine"');
	await write(page, 'resident', 'Mr Brown', '<img src=x onerror=alert(1)>');
	await pane(page, 'resident').locator('.note.bot').waitFor();
	assert.equal(await page.locator('.note img').count(), 0);
	noFaults(page);
});

test('a card is edited in place, pressed, liked and quoted', { skip }, async (t) => {
	const { page } = await both(t, {});
	await write(page, 'resident', '王奶奶', 'card');
	const group = pane(page, 'group');
	const card = group.locator('.note.bot');
	await card.locator('[data-react]').click();
	await card.locator('.number').waitFor();
	assert.equal(await card.locator('[data-react]').getAttribute('aria-pressed'), 'true');
	await group.getByRole('radio', { name: 'Sarah' }).check();
	assert.equal(await card.locator('[data-react]').getAttribute('aria-pressed'), 'false');
	await card.locator('[data-reply]').click();
	await page.keyboard.type('mine?');
	await page.keyboard.press('Enter');
	await group.locator('.quote').waitFor();
	assert.match(await group.locator('.quote').textContent(), /4713/);
	await card.getByRole('button', { name: 'Take it' }).click();
	await card.getByText('taken by Sarah').waitFor();
	assert.equal(await card.locator('.press').count(), 0);
	assert.equal(await group.locator('.note.bot').count(), 1);
	await group.getByText('Sarah 按了「Take it」').waitFor();
	/* The quote goes back to where it came from. */
	await group.locator('.quote').click();
	assert.equal(await card.evaluate((node) => node === document.activeElement), true);
	noFaults(page);
});

test('phones have no buttons', { skip }, async (t) => {
	const { page } = await both(t, {});
	await write(page, 'resident', '王奶奶', 'card');
	await pane(page, 'resident').locator('.note.bot').waitFor();
	assert.equal(await pane(page, 'resident').locator('.press').count(), 0);
});

test('parts of a short message are counted while typing and when one came', { skip }, async (t) => {
	const { page } = await both(t, { language: 'en' });
	const phone = pane(page, 'resident');
	const cases = [
		['a'.repeat(160), '160/160 · 1 SMS'],
		['a'.repeat(161), '161/306 · 2 SMS'],
		['€'.repeat(80), '160/160 · 1 SMS'],
		[`${'a'.repeat(152)}€${'b'.repeat(10)}`, '164/306 · 2 SMS'],
		['邻'.repeat(70), '70/70 · 1 SMS'],
		['邻'.repeat(71), '71/134 · 2 SMS'],
		['😀'.repeat(35), '70/70 · 1 SMS'],
		['😀'.repeat(67), '134/201 · 3 SMS'],
	];
	for (const [text, count] of cases) {
		await phone.locator('textarea').fill(text);
		assert.equal(await phone.locator('.count').textContent(), count);
	}
	await write(page, 'resident', '王奶奶', '邻'.repeat(65));
	await phone.locator('.note.bot').getByText('2 SMS parts').waitFor();
});

test('unread messages are counted on a phone and gone when seen', { skip }, async (t) => {
	const { page } = await both(t, { size: 'phone', language: 'en' });
	await write(page, 'resident', '王奶奶', 'card');
	await write(page, 'resident', 'Mr Brown', 'card');
	const badge = page.locator('#switch [data-kind="group"] .badge');
	await badge.getByText('2 unread messages').waitFor();
	await page.waitForFunction(() => document.title.startsWith('(2)'));
	await turnTo(page, 'group');
	await badge.waitFor({ state: 'detached' });
	assert.equal(await page.title(), 'Linli · simulator');
	noFaults(page);
});

test('while the store is away the message waits, then arrives once', { skip }, async (t) => {
	const { echo, page } = await both(t, { outages: true, language: 'en' });
	const phone = pane(page, 'resident');
	echo.tell('away');
	await write(page, 'resident', '王奶奶', 'patience');
	await phone.getByText('Not delivered yet, trying again…').waitFor();
	await write(page, 'resident', '王奶奶', 'second');
	echo.tell('back');
	await phone.locator('.note.bot').nth(1).waitFor();
	assert.deepEqual(await phone.locator('.note .text').allTextContents(),
		['patience', 'echo: patience', 'second', 'echo: second']);
	assert.equal(await phone.locator('.pending').count(), 0);
	noFaults(page);
});

test('an answer that got lost does not double the message', { skip }, async (t) => {
	const { page } = await both(t, { outages: true });
	const phone = pane(page, 'resident');
	let lost = 0;
	await page.route('**/send', async (route) => {
		if (lost++ > 0)
			return route.continue();
		await route.fetch();
		return route.abort();
	});
	await write(page, 'resident', '王奶奶', 'once');
	await page.waitForResponse((response) => response.url().endsWith('/send'));
	await phone.locator('.note.bot').waitFor();
	assert.equal(lost, 2);
	assert.deepEqual(await phone.locator('.note .text').allTextContents(), ['once', 'echo: once']);
	noFaults(page);
});

test('what is refused is said, and can be put away', { skip }, async (t) => {
	const { page } = await both(t, { outages: true, language: 'en' });
	await page.route('**/send', (route) => route.fulfill({ status: 400, body: 'no such thing' }));
	await write(page, 'resident', '王奶奶', 'odd');
	const phone = pane(page, 'resident');
	await phone.getByText('Not sent: no such thing').waitFor();
	await phone.getByRole('button', { name: 'Remove' }).click();
	assert.equal(await phone.locator('.note').count(), 0);
});

test('after a restart the page goes on by itself, with a new session', { skip }, async (t) => {
	const { echo, page } = await both(t, { outages: true, language: 'en' });
	const phone = pane(page, 'resident');
	await write(page, 'resident', '王奶奶', 'before');
	await phone.locator('.note.bot').waitFor();
	echo.tell('restart');
	await phone.locator('.divider').waitFor();
	await page.locator('.live.up').waitFor();
	await write(page, 'resident', '王奶奶', 'after');
	await phone.getByText('echo: after').waitFor();
	assert.deepEqual(await phone.locator('.note .text, .divider').allTextContents(),
		['before', 'echo: before', 'Linli was started anew: a new session begins here', 'after',
			'echo: after']);
	noFaults(page);
	await page.close();
	await echo.quit();
});

test('a second page sees all of it, before and live', { skip }, async (t) => {
	const { echo, browser, page } = await both(t, {});
	await write(page, 'resident', '王奶奶', 'first');
	await pane(page, 'resident').locator('.note.bot').waitFor();
	const other = await openPage(t, browser, echo.url, { language: 'en' });
	assert.equal(await pane(other, 'resident').locator('.note').count(), 2);
	assert.equal(await other.locator('.badge').count(), 0);
	await write(page, 'resident', '王奶奶', 'second');
	await pane(other, 'resident').getByText('echo: second').waitFor();
	noFaults(page);
	noFaults(other);
});

test('the language is switched in place and remembered', { skip }, async (t) => {
	const { echo, page } = await both(t, {});
	await pane(page, 'resident').locator('textarea').fill('draft');
	await page.getByRole('button', { name: 'English' }).click();
	assert.equal(await page.locator('html').getAttribute('lang'), 'en');
	assert.equal(await pane(page, 'resident').locator('h2').textContent(), 'Residents');
	assert.equal(await pane(page, 'resident').locator('textarea').inputValue(), 'draft');
	await page.goto(echo.url);
	assert.equal(await page.locator('html').getAttribute('lang'), 'en');
	noFaults(page);
});

/* Tab from where the focus is until `met` says so; a person with a keyboard has no other way. */
async function tabTo(page, met, what, back = false) {
	for (let i = 0; i < 60; i++) {
		if (await page.evaluate(met))
			return;
		await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
	}
	assert.fail(`Tab never reached ${what}`);
}

for (const size of ['desk', 'phone'])
	test(`by keyboard alone: ${size}`, { skip }, async (t) => {
		const { page } = await both(t, { size, language: 'en' });
		await page.keyboard.press('Tab');
		assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Residents');
		assert.notEqual(await page.evaluate(() => document.activeElement.getBoundingClientRect().top < 0),
			true, 'the skip link is visible while it has the focus');
		await page.keyboard.press('Enter');
		await tabTo(page, () => document.activeElement.role === 'tab'
			|| document.activeElement.getAttribute('role') === 'tab', 'the phones');
		await page.keyboard.press('ArrowRight');
		assert.match(await page.evaluate(() => document.activeElement.textContent), /Mr Brown/);
		await tabTo(page, () => document.activeElement.tagName === 'TEXTAREA', 'the text field');
		await page.keyboard.type('card');
		await page.keyboard.press('Shift+Enter');
		await page.keyboard.press('Backspace');
		await page.keyboard.press('Enter');
		await pane(page, 'resident').locator('.note.bot').waitFor();
		if (size === 'phone') {
			await tabTo(page, () => document.activeElement.dataset.kind === 'group', 'the switch');
			await page.keyboard.press('Enter');
			await tabTo(page, () => document.activeElement.type === 'radio', 'the speakers', true);
		} else {
			await tabTo(page, () => document.activeElement.type === 'radio', 'the speakers');
		}
		await page.keyboard.press('ArrowRight');
		const group = pane(page, 'group');
		await group.locator('.note.bot').waitFor();
		await tabTo(page, () => document.activeElement.dataset.press === 'claim', 'the button', true);
		await page.keyboard.press('Enter');
		await group.getByText('taken by Sarah').waitFor();
		/* The button is gone; the focus stays on its card, and arrows walk through the messages. */
		assert.equal(await page.evaluate(() => document.activeElement.tagName), 'ARTICLE');
		await group.getByText('Sarah pressed “Take it”').waitFor();
		await page.keyboard.press('ArrowDown');
		assert.match(await page.evaluate(() => document.activeElement.textContent), /Sarah pressed/);
		await page.keyboard.press('Home');
		await tabTo(page, () => document.activeElement.dataset.reply !== undefined, 'reply');
		await page.keyboard.press('Enter');
		assert.equal(await page.evaluate(() => document.activeElement.tagName), 'TEXTAREA');
		await page.keyboard.press('Escape');
		assert.equal(await group.locator('.replying').isVisible(), false);
		noFaults(page);
	});

test('Enter that ends a word of an input method does not send', { skip }, async (t) => {
	const { page } = await both(t, {});
	const field = pane(page, 'resident').locator('textarea');
	await field.fill('买菜');
	await field.dispatchEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true });
	assert.equal(await field.inputValue(), '买菜');
	await choosePhone(page, 'resident', 'Mr Brown');
	await choosePhone(page, 'resident', '王奶奶');
	assert.equal(await field.inputValue(), '买菜', 'a draft is kept');
});
