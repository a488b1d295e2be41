// Opens the simulator in a real Chromium and watches for what a person would not see: errors in the
// console, requests to elsewhere, violations of the page's own security policy.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { says, source, start, binary, which } from '../peers/lib.mjs';

export const executable = which('chromium') ?? which('chromium-browser') ?? which('google-chrome');

const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** A sentence when no browser can be driven here, else undefined. */
export function browserMissing() {
	if (!executable)
		return 'Chromium is not installed';
	if (!fs.existsSync(path.join(source, 'tests/node_modules/playwright-core')))
		return 'playwright-core is not installed: npm ci in tests/';
	return undefined;
}

export async function startBrowser(t) {
	const { chromium } = await import('playwright-core');
	const browser = await chromium.launch({ executablePath: executable, args: flags });
	t.after(() => browser.close());
	return browser;
}

export const sizes = {
	desk: { width: 1280, height: 800 }, phone: { width: 360, height: 740 },
	narrow: { width: 320, height: 640 }, picture: { width: 1280, height: 900 },
};

/**
 * A page on `url` that is connected. `page.faults` collects what must stay empty; pass
 * { outages: true } when the test itself takes the server away.
 */
export async function openPage(t, browser, url, options = {}) {
	const { language = 'zh-CN', size = 'desk', outages = false, dark = false } = options;
	const context = await browser.newContext({
		viewport: sizes[size], locale: language, colorScheme: dark ? 'dark' : 'light',
		reducedMotion: 'reduce',
	});
	t.after(() => context.close());
	const page = await context.newPage();
	page.setDefaultTimeout(15000);
	page.faults = [];
	const origin = new URL(url).origin;
	page.on('console', (message) => {
		const outage = outages && message.text().startsWith('Failed to load resource');
		if (['error', 'warning'].includes(message.type()) && !outage)
			page.faults.push(`console: ${message.text()}`);
	});
	page.on('pageerror', (error) => page.faults.push(`error: ${error.message}`));
	page.on('request', (request) => {
		if (new URL(request.url()).origin !== origin)
			page.faults.push(`request to ${request.url()}`);
	});
	await page.exposeFunction('violated', (what) => page.faults.push(`policy: ${what}`));
	await page.addInitScript(() => document.addEventListener('securitypolicyviolation',
		(event) => globalThis.violated(`${event.violatedDirective} ${event.blockedURI}`)));
	await page.goto(`${url}?lang=${language}`);
	await page.locator('.live.up').waitFor({ state: 'attached' });
	return page;
}

export function noFaults(page) {
	assert.deepEqual(page.faults, []);
}

/** The accessibility rules of WCAG 2.2 AA that a program can check. */
export async function accessible(page) {
	const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
	await page.evaluate(fs.readFileSync(axe, 'utf8'));
	const found = await page.evaluate(() => globalThis.axe.run({
		runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
	}));
	assert.ok(found.passes.length > 10, 'the rules were applied');
	assert.deepEqual(found.violations.map(({ id, nodes }) =>
		`${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`), []);
}

/** Nothing is wider than the window, and everything that can be pressed is 44 px or more. */
export async function fits(page) {
	const wrong = await page.evaluate(() => {
		const found = [];
		if (document.documentElement.scrollWidth > innerWidth)
			found.push(`page is ${document.documentElement.scrollWidth} wide`);
		for (const part of document.querySelectorAll('button, textarea, input[type="radio"]')) {
			const { width, height } = part.getBoundingClientRect();
			if (width > 0 && (width < 44 || height < 44))
				found.push(`${width}x${height} ${part.outerHTML.slice(0, 120)}`);
		}
		return found;
	});
	assert.deepEqual(wrong, []);
}

/** The simulator behind a house that only echoes (tests/browser/echo.c). */
export async function startEcho(t) {
	const program = start(t, path.join(binary, 'tests/browser/browser_echo'), [], {
		env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=1' },
	});
	const [, url] = await says(program, /url (\S+)\n/);
	return {
		program, url,
		tell: (line) => program.child.stdin.write(`${line}\n`),
		/** Ends it by its own clean way; the sanitizers' word is its exit status. */
		async quit() {
			program.child.stdin.end();
			while (program.exited === undefined)
				await new Promise((done) => program.child.once('exit', done));
			assert.equal(program.exited, 0, program.tail());
		},
	};
}

export const pane = (page, kind) => page.locator(`#pane-${kind}`);

/** On a phone only one pane is there at a time. */
export async function turnTo(page, kind) {
	const button = page.locator(`#switch [data-kind="${kind}"]`);
	if (await button.isVisible())
		await button.click();
	return pane(page, kind);
}

export async function choosePhone(page, kind, name) {
	const there = await turnTo(page, kind);
	await there.getByRole('tab', { name }).click();
	return there;
}

export async function write(page, kind, name, text) {
	const there = await choosePhone(page, kind, name);
	await there.locator('textarea').fill(text);
	await there.locator('textarea').press('Enter');
	return there;
}
