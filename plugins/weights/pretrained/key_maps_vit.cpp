// Vision transformers. Names are those that filters.hpp leaves: queries, keys and values are one
// layer, kernels are weights.
#include "key_maps.hpp"

namespace pretrained {

const KeyMap& torchvision_vit_names() {
  static const KeyMap map(
      "torchvision's vision transformer",
      {{"class_token", "cls_token"},
       {"encoder.pos_embedding", "pos_embed"},
       {"conv_proj.*", "patch_embed.proj.*"},
       {"encoder.ln.*", "norm.*"},
       {"encoder.layers.encoder_layer_{n}.ln_1.*", "blocks.{n}.norm1.*"},
       {"encoder.layers.encoder_layer_{n}.ln_2.*", "blocks.{n}.norm2.*"},
       {"encoder.layers.encoder_layer_{n}.self_attention.in_proj_*", "blocks.{n}.attn.qkv.*"},
       {"encoder.layers.encoder_layer_{n}.self_attention.out_proj.*", "blocks.{n}.attn.proj.*"},
       {"encoder.layers.encoder_layer_{n}.mlp.0.*", "blocks.{n}.mlp.fc1.*"},
       {"encoder.layers.encoder_layer_{n}.mlp.3.*", "blocks.{n}.mlp.fc2.*"},
       {"encoder.layers.encoder_layer_{n}.mlp.linear_1.*", "blocks.{n}.mlp.fc1.*"},
       {"encoder.layers.encoder_layer_{n}.mlp.linear_2.*", "blocks.{n}.mlp.fc2.*"}});
  return map;
}

// ViT, DeiT, DINO, DINOv2 and MAE of Hugging Face's transformers.
const KeyMap& huggingface_vit_names() {
  static const KeyMap map("Hugging Face's vision transformer",
                          {{"embeddings.cls_token", "cls_token"},
                           {"embeddings.position_embeddings", "pos_embed"},
                           {"embeddings.patch_embeddings.projection.*", "patch_embed.proj.*"},
                           {"layernorm.*", "norm.*"},
                           {"encoder.layer.{n}.layernorm_before.*", "blocks.{n}.norm1.*"},
                           {"encoder.layer.{n}.layernorm_after.*", "blocks.{n}.norm2.*"},
                           {"encoder.layer.{n}.norm{k}.*", "blocks.{n}.norm{k}.*"},
                           {"encoder.layer.{n}.attention.attention.qkv.*", "blocks.{n}.attn.qkv.*"},
                           {"encoder.layer.{n}.attention.output.dense.*", "blocks.{n}.attn.proj.*"},
                           {"encoder.layer.{n}.intermediate.dense.*", "blocks.{n}.mlp.fc1.*"},
                           {"encoder.layer.{n}.output.dense.*", "blocks.{n}.mlp.fc2.*"},
                           {"encoder.layer.{n}.mlp.fc{k}.*", "blocks.{n}.mlp.fc{k}.*"},
                           {"encoder.layer.{n}.layer_scale{k}.lambda1", "blocks.{n}.ls{k}.gamma"}});
  return map;
}

// Google's own files; the second spellings are big_vision's.
const KeyMap& jax_vit_names() {
  static const KeyMap map(
      "Google's vision transformer",
      {{"cls", "cls_token"},
       {"Transformer.posembed_input.pos_embedding", "pos_embed"},
       {"pos_embedding", "pos_embed"},
       {"embedding.*", "patch_embed.proj.*"},
       {"Transformer.encoder_norm.*", "norm.*"},
       {"Transformer.encoderblock_{n}.LayerNorm_0.*", "blocks.{n}.norm1.*"},
       {"Transformer.encoderblock_{n}.LayerNorm_2.*", "blocks.{n}.norm2.*"},
       {"Transformer.encoderblock_{n}.LayerNorm_1.*", "blocks.{n}.norm2.*"},
       {"Transformer.encoderblock_{n}.MultiHeadDotProductAttention_{k}.qkv.*",
        "blocks.{n}.attn.qkv.*"},
       {"Transformer.encoderblock_{n}.MultiHeadDotProductAttention_{k}.out.*",
        "blocks.{n}.attn.proj.*"},
       {"Transformer.encoderblock_{n}.MlpBlock_{k}.Dense_0.*", "blocks.{n}.mlp.fc1.*"},
       {"Transformer.encoderblock_{n}.MlpBlock_{k}.Dense_1.*", "blocks.{n}.mlp.fc2.*"}});
  return map;
}

const KeyMap& clip_vit_names() {
  static const KeyMap map("CLIP's vision transformer",
                          {{"class_embedding", "cls_token"},
                           {"positional_embedding", "pos_embed"},
                           {"conv1.*", "patch_embed.proj.*"},
                           {"ln_pre.*", "norm_pre.*"},
                           {"ln_post.*", "norm.*"},
                           {"transformer.resblocks.{n}.ln_{k}.*", "blocks.{n}.norm{k}.*"},
                           {"transformer.resblocks.{n}.attn.in_proj_*", "blocks.{n}.attn.qkv.*"},
                           {"transformer.resblocks.{n}.attn.out_proj.*", "blocks.{n}.attn.proj.*"},
                           {"transformer.resblocks.{n}.mlp.c_fc.*", "blocks.{n}.mlp.fc1.*"},
                           {"transformer.resblocks.{n}.mlp.c_proj.*", "blocks.{n}.mlp.fc2.*"}});
  return map;
}

const KeyMap& huggingface_clip_names() {
  static const KeyMap map("Hugging Face's CLIP",
                          {{"embeddings.class_embedding", "cls_token"},
                           {"embeddings.position_embedding.weight", "pos_embed"},
                           {"embeddings.patch_embedding.*", "patch_embed.proj.*"},
                           {"pre_layrnorm.*", "norm_pre.*"},
                           {"post_layernorm.*", "norm.*"},
                           {"encoder.layers.{n}.layer_norm{k}.*", "blocks.{n}.norm{k}.*"},
                           {"encoder.layers.{n}.self_attn.qkv.*", "blocks.{n}.attn.qkv.*"},
                           {"encoder.layers.{n}.self_attn.out_proj.*", "blocks.{n}.attn.proj.*"},
                           {"encoder.layers.{n}.mlp.fc{k}.*", "blocks.{n}.mlp.fc{k}.*"}});
  return map;
}

}  // namespace pretrained
