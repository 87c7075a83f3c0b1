/** Bytes from hexadecimal digits. */
export const bytes = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, 'hex'))
