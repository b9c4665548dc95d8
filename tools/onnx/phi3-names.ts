/** Names of the graph's inputs and outputs; `%d` is the layer. */
export interface Phi3Names {
  readonly inputIds: string;
  readonly attentionMask: string;
  readonly positionIds: string;
  readonly logits: string;
  readonly pastKey: string;
  readonly pastValue: string;
  readonly presentKey: string;
  readonly presentValue: string;
}

/** What onnxruntime-genai's model builder and Optimum call them. */
export const defaultNames: Phi3Names = {
  inputIds: 'input_ids',
  attentionMask: 'attention_mask',
  positionIds: 'position_ids',
  logits: 'logits',
  pastKey: 'past_key_values.%d.key',
  pastValue: 'past_key_values.%d.value',
  presentKey: 'present.%d.key',
  presentValue: 'present.%d.value',
};

export function layerName(pattern: string, layer: number): string {
  return pattern.replace('%d', String(layer));
}
