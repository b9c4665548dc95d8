/** Names of the graph's inputs and outputs; `%d` stands for the layer. */
export interface GraphNames {
  readonly inputIds: string;
  readonly attentionMask: string;
  readonly positionIds: string;
  readonly logits: string;
  /** Of the last hidden layer, where the graph gives it. */
  readonly hiddenStates: string;
  readonly pastKey: string;
  readonly pastValue: string;
  readonly presentKey: string;
  readonly presentValue: string;
}

/** What exporters call them, unless their configuration says otherwise. */
export const usualNames: GraphNames = {
  inputIds: 'input_ids',
  attentionMask: 'attention_mask',
  positionIds: 'position_ids',
  logits: 'logits',
  hiddenStates: 'hidden_states',
  pastKey: 'past_key_values.%d.key',
  pastValue: 'past_key_values.%d.value',
  presentKey: 'present.%d.key',
  presentValue: 'present.%d.value',
};

/** An input of transformers.js' graphs: for how many of the last tokens they compute logits. */
export const logitsToKeep = 'num_logits_to_keep';
