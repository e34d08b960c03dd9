export function describedValues(text: string): { readonly undescribed: readonly string[] }
export function helmReadme(readme: string, values: string): Promise<string>
