// How many SMS parts a text takes: 160/153 septets in GSM-7 (3GPP TS 23.038), else 70/67 UCS-2 units.
const basic = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
	'¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà');
const extended = new Set('\f^{}\\[~]|€');

// {units, parts, room}: `room` is what as many parts hold at most.
export function count(text) {
	const points = [...text];
	const gsm = points.every((point) => basic.has(point) || extended.has(point));
	const size = (point) => (gsm ? (extended.has(point) ? 2 : 1) : point.length);
	const [single, many] = gsm ? [160, 153] : [70, 67];
	const units = points.reduce((sum, point) => sum + size(point), 0);
	if (units <= single) return { units, parts: 1, room: single };
	let parts = 1;
	let used = 0;
	for (const point of points) {
		// An escaped septet pair or a surrogate pair is never torn apart.
		if (used + size(point) > many) {
			parts++;
			used = 0;
		}
		used += size(point);
	}
	return { units, parts, room: parts * many };
}
